import type { Socket } from "node:net";

/** Connections that have not shown a certificate yet, at most so many. */
export interface Pending {
  add(socket: Socket): void;
  /** It is through; the TLS socket has the addresses of the one below. */
  remove(socket: Socket): void;
  destroyAll(): void;
}

/** Beyond the cap the oldest goes: whoever fills it keeps nobody out who has a certificate, and no one who is in. */
export function createPending(cap: number): Pending {
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
