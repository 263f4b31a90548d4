import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type TLSSocket, type TlsOptions } from "node:tls";
import type { Certificates } from "../certificates/certificates.ts";
import { tlsRules } from "../util/tls.ts";
import type { EngineAddress } from "./address.ts";
import { createPending } from "./pending.ts";
import { pipeToEngine } from "./pipe.ts";
import { createRefusals } from "./refusals.ts";
import type { Log } from "../util/log.ts";

export interface GatewayOptions {
  listen: { host: string; port: number };
  engine: EngineAddress;
  certificates: Certificates;
  visits: Visits;
  log: Log;
}

/** Told of each connection that got in, or did not. */
export interface Visits {
  admitted(address: string): void;
  refused(address: string, reason: string): void;
}

/** Docker's whole API for whoever has the present client certificate, which is as good as root on this host. */
export interface Gateway {
  /** Answers the port. */
  start(): Promise<number>;
  stop(): Promise<void>;
}

const handshakeTime = 10_000;
const maxConnections = 1_000;
const maxPending = 200;
/** Milliseconds after which the kernel asks whether a silent client is still there. */
const keepAliveAfter = 30_000;

/**
 * INVARIANT: a connection is piped only while its certificate is the present client certificate itself, byte for byte.
 * That it is of our authority, for clients and in time, is what OpenSSL has checked before.
 */
export function createGateway({ listen, engine, certificates, visits, log }: GatewayOptions): Gateway {
  const pending = createPending(maxPending);
  const logged = createRefusals(log);
  const admitted = new Map<TLSSocket, string>();
  const server = createServer({
    ...contextOf(certificates),
    requestCert: true,
    rejectUnauthorized: true,
    handshakeTimeout: handshakeTime,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveAfter,
  });
  server.maxConnections = maxConnections + maxPending;
  server.on("connection", (socket: Socket) => pending.add(socket));
  server.on("tlsClientError", (error, socket) => {
    refused(socket.remoteAddress, error.message);
    socket.destroy();
  });
  server.on("secureConnection", (socket) => {
    pending.remove(socket);
    const fingerprint = fingerprintOf(socket);
    if (socket.authorized && fingerprint === presentFingerprint(certificates)) return admit(socket, fingerprint);
    refused(socket.remoteAddress, "not the present client certificate");
    socket.destroy();
  });

  function refused(address = "", reason: string): void {
    logged(address, reason);
    visits.refused(address, reason);
  }

  function admit(socket: TLSSocket, fingerprint: string): void {
    admitted.set(socket, fingerprint);
    socket.once("close", () => admitted.delete(socket));
    log("docker gateway: connected", { address: socket.remoteAddress });
    visits.admitted(socket.remoteAddress ?? "");
    pipeToEngine(socket, engine);
  }

  certificates.onChange(() => {
    server.setSecureContext(contextOf(certificates));
    const present = presentFingerprint(certificates);
    for (const [socket, fingerprint] of admitted) if (fingerprint !== present) socket.destroy();
  });

  return {
    async start() {
      server.listen({ ...listen });
      await once(server, "listening");
      // Afterwards an error is one of accepting: no file descriptor left, and the next one may go well.
      server.on("error", (error) => log("docker gateway", { error }));
      return (server.address() as AddressInfo).port;
    },
    async stop() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      pending.destroyAll();
      for (const socket of admitted.keys()) socket.destroy();
      await closed;
    },
  };
}

function contextOf(certificates: Certificates): TlsOptions {
  const { authority, server } = certificates.current();
  return { ...tlsRules, ca: authority.certificate, cert: server.certificate, key: server.key };
}

function fingerprintOf(socket: TLSSocket): string {
  return socket.getPeerX509Certificate()?.fingerprint256 ?? "";
}

function presentFingerprint(certificates: Certificates): string {
  return new X509Certificate(certificates.current().client.certificate).fingerprint256;
}
