import { readText } from "./files.ts";

/** What the kernel calls a connection that is only waited out: its port can be taken. */
const timeWait = "06";

/**
 * Whether a socket of this host has the port, on any address, IPv4 or IPv6: one that listens, is bound, or goes out
 * from it.
 */
export async function portHasSocket(protocol: "tcp" | "udp", port: number): Promise<boolean> {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  for (const table of [protocol, `${protocol}6`]) {
    if (lists(await readText(`/proc/net/${table}`), wanted)) return true;
  }
  return false;
}

/** Lines of /proc/net/tcp: slot, local address:port in hex, remote, state, ... */
function lists(table: string, port: string): boolean {
  return table.split("\n").some((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return state !== undefined && state !== timeWait && local?.endsWith(`:${port}`);
  });
}
