import { readKernelText } from "./kernel-files.ts";

/** The kernel's number of the state TIME_WAIT (include/net/tcp_states.h). A port in it is free to bind. */
const timeWait = "06";

/**
 * Tells whether a socket of this host uses the port on any IPv4 or IPv6 address: one that listens, is bound, or is
 * connected from it.
 */
export async function portHasSocket(protocol: "tcp" | "udp", port: number): Promise<boolean> {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  for (const table of [protocol, `${protocol}6`]) {
    if (tableHasPort(await readKernelText(`/proc/net/${table}`), wanted)) return true;
  }
  return false;
}

/** Fields of a line in `/proc/net/tcp` and `udp`: slot, local address:port in hex, remote address:port, state, ... */
function tableHasPort(table: string, port: string): boolean {
  return table.split("\n").some((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return state !== undefined && state !== timeWait && local?.endsWith(`:${port}`);
  });
}
