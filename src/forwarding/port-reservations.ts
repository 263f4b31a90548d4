import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

import type { Reports } from "./reports.ts";
import { portKey, type Mapping } from "./rules.ts";

/**
 * Reserves forwarded ports by sockets of the station: the rules redirect every connection before it reaches them, and
 * another program that binds such a port fails at once. The sockets listen on 0.0.0.0, so that a program that listens on
 * IPv4 and IPv6 together fails too. They do not listen on ::, because IPv6 is not forwarded: a client that tries ::1 for
 * `localhost` must be refused there, and then tries IPv4.
 */
export interface PortReservations {
  /**
   * Reserves the ports of these mappings. The rules must be in force: without them a connection would end here. If another
   * program has a port, that is reported, and the next call tries again.
   */
  reserve(mappings: readonly Mapping[]): Promise<void>;
  /** Frees all ports except those of these mappings. They are free when it returns. */
  release(except: readonly Mapping[]): void;
}

/** A TCP or UDP socket. */
interface Socket {
  listen(): Promise<void>;
  close(): void;
}

/** Makes the reservations. Failures go to `reports`. */
export function createPortReservations(reports: Reports): PortReservations {
  const sockets = new Map<string, Socket>();

  async function open(mapping: Mapping): Promise<void> {
    const key = portKey(mapping);
    const socket = mapping.protocol === "tcp" ? tcpSocket(mapping.host) : udpSocket(mapping.host);
    sockets.set(key, socket);
    try {
      await socket.listen();
      reports.clear(key);
    } catch (error) {
      if (sockets.get(key) === socket) sockets.delete(key);
      reports.report(key, "a forwarded port is in use by another program as well", { port: key, error });
    }
  }

  return {
    reserve: async (mappings) =>
      void (await Promise.all(mappings.filter((mapping) => !sockets.has(portKey(mapping))).map(open))),
    release(except) {
      const kept = new Set(except.map(portKey));
      for (const [key, socket] of sockets) {
        if (kept.has(key)) continue;
        sockets.delete(key);
        socket.close();
      }
    },
  };
}

/** A connection reaches this socket only if somebody has flushed the rules; it is reset. */
function tcpSocket(port: number): Socket {
  const server = createServer({ pauseOnConnect: true }, (socket) => socket.resetAndDestroy());
  let closed = false;
  server.unref();
  return {
    async listen() {
      server.listen({ port, host: "0.0.0.0", exclusive: true });
      await once(server, "listening");
      server.on("error", () => undefined);
      if (closed) server.close();
    },
    close() {
      closed = true;
      if (server.listening) server.close();
    },
  };
}

function udpSocket(port: number): Socket {
  const socket = createSocket("udp4");
  let closed = false;
  let bound = false;
  socket.unref();
  return {
    async listen() {
      socket.bind({ port, address: "0.0.0.0", exclusive: true });
      await once(socket, "listening");
      socket.on("error", () => undefined);
      bound = true;
      if (closed) socket.close();
    },
    close() {
      closed = true;
      if (bound) socket.close();
    },
  };
}
