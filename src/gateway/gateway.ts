import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type TLSSocket, type TlsOptions } from "node:tls";
import type { Certificates } from "../certificates/certificates.ts";
import { resetStalledConnections } from "../util/stalled-connections.ts";
import { tlsRules } from "../util/tls.ts";
import type { EngineAddress } from "./engine-address.ts";
import { createPendingConnections } from "./pending-connections.ts";
import { pipeToEngine } from "./pipe.ts";
import { createRefusalLog } from "./refusal-log.ts";
import type { Log } from "../util/log.ts";

export interface GatewayOptions {
  /** The address to listen on; port 0 lets the kernel choose. */
  listen: { host: string; port: number };
  /** The socket of Docker. */
  engine: EngineAddress;
  /** The server's pair and the client certificate that is admitted. */
  certificates: Certificates;
  /** Is told of every admitted and every refused connection. */
  audit: GatewayAudit;
  /** Writes a line to the station's own log. */
  log: Log;
  /** Milliseconds in which a client must take a byte if there are some for it. Absent: as on the station's own connections. */
  patience?: number;
}

/** Records connections in the audit log. `address` is the peer's. */
export interface GatewayAudit {
  /** A connection was admitted. */
  admitted(address: string): void;
  /** A connection was refused. `reason` is one sentence or OpenSSL's message. */
  refused(address: string, reason: string): void;
}

/** Serves Docker's whole API by mutual TLS. The present client certificate gives the power of root on this host. */
export interface Gateway {
  /** Starts to listen and returns the port. Rejects with the system's error if the address cannot be used. */
  start(): Promise<number>;
  /** Stops listening and ends all connections. */
  stop(): Promise<void>;
}

/** Milliseconds, as `read` of the API's limits. */
const usualPatience = 28_000;
const handshakeTimeout = 10_000;
const maxConnections = 1_000;
const maxPending = 200;
/** Milliseconds of silence after which the kernel probes whether the client is still there. */
const keepAliveDelay = 30_000;

/**
 * Makes the gateway; `start` opens it.
 *
 * INVARIANT: a connection reaches the engine only while its certificate is the present client certificate itself, byte for
 * byte. OpenSSL has checked before that our authority signed it, for clients, and that it is valid now.
 */
export function createGateway(options: GatewayOptions): Gateway {
  const { listen, engine, certificates, audit, log, patience = usualPatience } = options;
  const pending = createPendingConnections(maxPending);
  const logRefusal = createRefusalLog(log);
  const admitted = new Map<TLSSocket, string>();
  const server = createServer({
    ...tlsContext(certificates),
    requestCert: true,
    rejectUnauthorized: true,
    handshakeTimeout: handshakeTimeout,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveDelay,
  });
  server.maxConnections = maxConnections + maxPending;
  // A client that reads nothing would hold its connection, and one of the engine, for as long as it likes.
  resetStalledConnections(server, patience);
  server.on("connection", (socket: Socket) => pending.add(socket));
  server.on("tlsClientError", (error, socket) => {
    refuse(socket.remoteAddress, error.message);
    socket.destroy();
  });
  server.on("secureConnection", (socket) => {
    pending.remove(socket);
    const fingerprint = fingerprintOf(socket);
    if (socket.authorized && fingerprint === currentFingerprint(certificates)) return admit(socket, fingerprint);
    refuse(socket.remoteAddress, "not the present client certificate");
    socket.destroy();
  });

  function refuse(address = "", reason: string): void {
    logRefusal(address, reason);
    audit.refused(address, reason);
  }

  function admit(socket: TLSSocket, fingerprint: string): void {
    admitted.set(socket, fingerprint);
    socket.once("close", () => admitted.delete(socket));
    log.info("docker gateway: connected", { address: socket.remoteAddress });
    audit.admitted(socket.remoteAddress ?? "");
    pipeToEngine(socket, engine);
  }

  certificates.onChange(() => {
    server.setSecureContext(tlsContext(certificates));
    const present = currentFingerprint(certificates);
    for (const [socket, fingerprint] of admitted) if (fingerprint !== present) socket.destroy();
  });

  return {
    async start() {
      server.listen({ ...listen });
      await once(server, "listening");
      // From here on an error concerns one connection, for example if no file descriptor is left; the next may succeed.
      server.on("error", (error) => log.error("docker gateway", { error }));
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

function tlsContext(certificates: Certificates): TlsOptions {
  const { authority, server } = certificates.current();
  return { ...tlsRules, ca: authority.certificate, cert: server.certificate, key: server.key };
}

function fingerprintOf(socket: TLSSocket): string {
  return socket.getPeerX509Certificate()?.fingerprint256 ?? "";
}

function currentFingerprint(certificates: Certificates): string {
  return new X509Certificate(certificates.current().client.certificate).fingerprint256;
}
