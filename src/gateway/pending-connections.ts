import type { Socket } from "node:net";

/** Connections whose TLS handshake is not finished. */
export interface PendingConnections {
  /** Adds a connection. Beyond the cap the oldest one is closed. */
  add(socket: Socket): void;
  /** Removes a connection whose handshake is finished. A TLS socket has the same addresses as its TCP socket. */
  remove(socket: Socket): void;
  /** Closes all of them. */
  destroyAll(): void;
}

/**
 * Limits unfinished connections to `cap`. Because the oldest one is closed, nobody who opens many can keep out a client that
 * has a certificate, or end a connection that is admitted.
 */
export function createPendingConnections(cap: number): PendingConnections {
  const sockets = new Map<string, Socket>();

  function add(socket: Socket): void {
    const key = keyOf(socket);
    sockets.set(key, socket);
    socket.once("close", () => {
      if (sockets.get(key) === socket) sockets.delete(key);
    });
    if (sockets.size <= cap) return;
    const [oldest] = sockets.values();
    oldest?.destroy();
    sockets.delete(keyOf(oldest ?? socket));
  }

  return {
    add,
    remove: (socket) => void sockets.delete(keyOf(socket)),
    destroyAll: () => sockets.forEach((socket) => socket.destroy()),
  };
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
