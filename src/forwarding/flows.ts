import { networkInterfaces } from "node:os";

import type { Protocol } from "../engines/engine.ts";
import { hasCode } from "../errors.ts";
import { byKey, type PortRules } from "./rules.ts";
import type { RunProgram } from "./run.ts";

/** A kind of connections as the kernel tracks them: asked for at one port, answered from elsewhere. */
interface Flow {
  protocol: Protocol;
  /** Where the first packet was sent. */
  address: string;
  port: number;
  /** Where the answers come from. */
  answering: string;
  answeringPort: number;
}

/**
 * The kernel looks at the rules for the first packet of a connection only: a UDP client that goes on sending would stay
 * at an old address for ever. So connections to a port that leads elsewhere now are forgotten.
 */
export async function forgetFlows(run: RunProgram, before: PortRules, after: PortRules): Promise<void> {
  const [old, now] = [byKey(before.mappings), byKey(after.mappings)];
  const target = (map: typeof now, key: string): string | undefined => {
    const mapping = map.get(key);
    return mapping && `${mapping.address}:${mapping.port}`;
  };
  const changed = [...new Set([...old.keys(), ...now.keys()])].filter((key) => target(old, key) !== target(now, key));
  for (const protocol of ["tcp", "udp"] as const) {
    const ports = changed.filter((key) => key.startsWith(protocol)).map((key) => key.slice(protocol.length + 1));
    if (ports.length === 0) continue;
    const stale = (await listFlows(run, protocol, ports)).filter(({ port, address, answering, answeringPort }) => {
      return `${answering}:${answeringPort}` !== (target(now, `${protocol} ${port}`) ?? `${address}:${port}`);
    });
    for (const flow of stale) await forget(run, flow);
  }
}

/** Those to addresses of this host, each kind once. */
async function listFlows(run: RunProgram, protocol: Protocol, ports: readonly string[]): Promise<Flow[]> {
  const only = ports.length === 1 ? ["--orig-port-dst", ports[0] as string] : [];
  const lines = (await run(["conntrack", "-L", "-p", protocol, ...only])).split("\n");
  const own = new Set(Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address)));
  const wanted = new Set(ports);
  const flows = new Map<string, Flow>();
  for (const line of lines) {
    // "udp 17 29 src=A dst=B sport=1 dport=2 src=C dst=A sport=3 dport=1 ...": what was sent, and what is answered.
    const fields = [...line.matchAll(/\b(?:src|dst|sport|dport)=(\S+)/g)].map(([, value = ""]) => value);
    const [, address = "", , port = "", answering = "", , answeringPort = ""] = fields;
    if (!wanted.has(port) || !(own.has(address) || address.startsWith("127."))) continue;
    const flow = { protocol, address, port: Number(port), answering, answeringPort: Number(answeringPort) };
    flows.set(Object.values(flow).join(" "), flow);
  }
  return [...flows.values()];
}

async function forget(run: RunProgram, { protocol, address, port, answering, answeringPort }: Flow): Promise<void> {
  const asked = ["--orig-dst", address, "--orig-port-dst", String(port)];
  const answered = ["--reply-src", answering, "--reply-port-src", String(answeringPort)];
  try {
    await run(["conntrack", "-D", "-p", protocol, ...asked, ...answered]);
  } catch (error) {
    // It ended meanwhile.
    if (!hasCode(error, "engine_failed") || !error.message.includes("0 flow entries have been deleted")) throw error;
  }
}
