import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

import type { Reports } from "./reports.ts";
import { portKey, type Mapping } from "./rules.ts";

/**
 * Sockets of the station on ports that lead to containers: the rules take every connection away from them, and another
 * program that wants such a port is told at once that it is taken. On 0.0.0.0, which refuses a program that listens on
 * IPv4 and IPv6 together as well. Not on ::, for the rules do not forward IPv6: who tries `localhost` there must be
 * refused, and then comes by IPv4.
 */
export interface Holders {
  /** Only when the rules stand: before, a connection would end here. Who is told no stays without, and is asked again. */
  take(mappings: readonly Mapping[]): Promise<void>;
  /** Closes all but these, and has closed them when it returns. */
  release(except: readonly Mapping[]): void;
}

interface Socket {
  listen(): Promise<void>;
  close(): void;
}

export function createHolders(reports: Reports): Holders {
  const held = new Map<string, Socket>();

  async function hold(mapping: Mapping): Promise<void> {
    const key = portKey(mapping);
    const socket = mapping.protocol === "tcp" ? tcpSocket(mapping.host) : udpSocket(mapping.host);
    held.set(key, socket);
    try {
      await socket.listen();
      reports.over(key);
    } catch (error) {
      if (held.get(key) === socket) held.delete(key);
      reports.say(key, "a forwarded port is in use by another program as well", { port: key, error });
    }
  }

  return {
    take: async (mappings) =>
      void (await Promise.all(mappings.filter((mapping) => !held.has(portKey(mapping))).map(hold))),
    release(except) {
      const kept = new Set(except.map(portKey));
      for (const [key, socket] of held) {
        if (kept.has(key)) continue;
        held.delete(key);
        socket.close();
      }
    },
  };
}

/** Who reaches it comes past the rules: they were flushed. */
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
