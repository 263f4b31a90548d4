import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { readdir, readFile, readlink } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import type { Protocol } from "../../engines/container-spec.ts";

/** Tells whether a program of this host has the port, on any IPv4 or IPv6 address, by listening and closing at once. */
export async function portInUse(protocol: Protocol, port: number): Promise<boolean> {
  const listen = protocol === "tcp" ? listenTcp : listenUdp;
  return !((await listen(port, "0.0.0.0")) && (await listen(port, "::")));
}

/** Returns whether the port is free although listening failed. Other failures than EADDRINUSE have other reasons: no IPv6. */
const leavesPortFree = (error: NodeJS.ErrnoException) => error.code !== "EADDRINUSE";

function listenTcp(port: number, host: string): Promise<boolean> {
  const server = createServer();
  return listens(server, () => server.listen({ port, host, ipv6Only: host === "::", exclusive: true }));
}

function listenUdp(port: number, host: string): Promise<boolean> {
  const socket = createSocket({ type: host === "::" ? "udp6" : "udp4", ipv6Only: host === "::" });
  return listens(socket, () => socket.bind({ port, address: host, exclusive: true }));
}

/** Tells whether listening succeeds. Closes the socket in any case. */
async function listens(socket: Server | Socket, begin: () => unknown): Promise<boolean> {
  try {
    begin();
    await once(socket, "listening");
    return true;
  } catch (error) {
    return leavesPortFree(error as NodeJS.ErrnoException);
  } finally {
    socket.close();
  }
}

/** Returns the program that has the port, as "dockerd (process 123)", or undefined if the kernel does not tell. */
export async function portOwner(protocol: Protocol, port: number): Promise<string | undefined> {
  const inodes = new Set<string>();
  for (const table of [protocol, `${protocol}6`]) {
    const lines = await readFile(`/proc/net/${table}`, "utf8").catch(() => "");
    for (const line of lines.split("\n").slice(1)) collect(line, protocol, port, inodes);
  }
  return inodes.size > 0 ? processWithSocket(inodes) : undefined;
}

/** Lines of /proc/net/tcp: slot, local address:port in hex, remote, state (0A = listening), ..., inode. */
function collect(line: string, protocol: Protocol, port: number, inodes: Set<string>): void {
  const fields = line.trim().split(/\s+/);
  const local = fields[1]?.split(":")[1];
  const inode = fields[9];
  if (local === undefined || inode === undefined || Number.parseInt(local, 16) !== port) return;
  if (protocol === "udp" || fields[3] === "0A") inodes.add(`socket:[${inode}]`);
}

async function processWithSocket(inodes: ReadonlySet<string>): Promise<string | undefined> {
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
      if (!inodes.has(target)) continue;
      const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "a process");
      return `${name.trim()} (process ${pid})`;
    }
  }
  return undefined;
}
