import { networkInterfaces } from "node:os";

import type { Protocol } from "../engines/container-spec.ts";
import { hasCode } from "../errors.ts";
import { byKey, type PortRules } from "./rules.ts";
import type { RunProgram } from "./programs.ts";

/** Tracked connections with the same destination and the same responder. */
interface Flow {
  protocol: Protocol;
  /** Destination of the first packet: an address of this host. */
  address: string;
  port: number;
  /** Address from which the replies come: the container's if the connection was redirected. */
  replySource: string;
  replyPort: number;
}

/**
 * Deletes the kernel's entries of connections to ports that lead elsewhere now. The kernel applies the rules to the first
 * packet of a connection only, so a UDP client that goes on sending would otherwise stay at the old address forever.
 */
export async function deleteStaleFlows(run: RunProgram, before: PortRules, after: PortRules): Promise<void> {
  const [old, now] = [byKey(before.mappings), byKey(after.mappings)];
  const target = (map: typeof now, key: string): string | undefined => {
    const mapping = map.get(key);
    return mapping && `${mapping.address}:${mapping.port}`;
  };
  const changed = [...new Set([...old.keys(), ...now.keys()])].filter((key) => target(old, key) !== target(now, key));
  for (const protocol of ["tcp", "udp"] as const) {
    const ports = changed.filter((key) => key.startsWith(protocol)).map((key) => key.slice(protocol.length + 1));
    if (ports.length === 0) continue;
    const stale = (await listFlows(run, protocol, ports)).filter(({ port, address, replySource, replyPort }) => {
      return `${replySource}:${replyPort}` !== (target(now, `${protocol} ${port}`) ?? `${address}:${port}`);
    });
    for (const flow of stale) await deleteFlow(run, flow);
  }
}

/** Lists the flows to these ports on addresses of this host, each once. */
async function listFlows(run: RunProgram, protocol: Protocol, ports: readonly string[]): Promise<Flow[]> {
  const only = ports.length === 1 ? ["--orig-port-dst", ports[0] as string] : [];
  const lines = (await run(["conntrack", "-L", "-p", protocol, ...only])).split("\n");
  const own = new Set(Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address)));
  const wanted = new Set(ports);
  const flows = new Map<string, Flow>();
  for (const line of lines) {
    // "udp 17 29 src=A dst=B sport=1 dport=2 src=C dst=A sport=3 dport=1 ...": the first four fields are those of the
    // first packet, the last four those of the replies.
    const fields = [...line.matchAll(/\b(?:src|dst|sport|dport)=(\S+)/g)].map(([, value = ""]) => value);
    const [, address = "", , port = "", replySource = "", , replyPort = ""] = fields;
    if (!wanted.has(port) || !(own.has(address) || address.startsWith("127."))) continue;
    const flow = { protocol, address, port: Number(port), replySource, replyPort: Number(replyPort) };
    flows.set(Object.values(flow).join(" "), flow);
  }
  return [...flows.values()];
}

async function deleteFlow(run: RunProgram, { protocol, address, port, replySource, replyPort }: Flow): Promise<void> {
  const original = ["--orig-dst", address, "--orig-port-dst", String(port)];
  const reply = ["--reply-src", replySource, "--reply-port-src", String(replyPort)];
  try {
    await run(["conntrack", "-D", "-p", protocol, ...original, ...reply]);
  } catch (error) {
    // The connection ended meanwhile.
    if (!hasCode(error, "engine_failed") || !error.message.includes("0 flow entries have been deleted")) throw error;
  }
}
