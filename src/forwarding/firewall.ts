import { hasCode } from "../errors.ts";
import type { RunProgram } from "./programs.ts";

/** Comment that marks the station's rules in chains of other programs. */
const comment = "gantry-ports";

/**
 * Lets forwarded connections pass the host's firewall: Docker and others drop forwarded packets that they did not allow
 * themselves. Only redirected connections and their replies are accepted. The station's former rules for other bridges are
 * removed. Throws `engine_failed` if iptables refuses.
 */
export async function allowForwarded(run: RunProgram, bridges: readonly string[]): Promise<void> {
  const docker = await listChain(run, "DOCKER-USER");
  const forward = await listChain(run, "FORWARD");
  // Without iptables, or without foreign rules, nothing drops forwarded packets.
  const dropsPackets = (forward ?? []).some((rule) => !rule.includes(comment) && rule !== "-P FORWARD ACCEPT");
  if (docker) await updateRules(run, { chain: "DOCKER-USER", rules: docker, bridges });
  if (forward)
    await updateRules(run, { chain: "FORWARD", rules: forward, bridges: docker || !dropsPackets ? [] : bridges });
}

interface Chain {
  chain: string;
  /** As `iptables -S` prints them. */
  rules: readonly string[];
  bridges: readonly string[];
}

async function updateRules(run: RunProgram, { chain, rules, bridges }: Chain): Promise<void> {
  const present = new Set(
    rules.filter((rule) => rule.includes(comment)).map((rule) => /-[io] \S+/.exec(rule)?.[0] ?? ""),
  );
  const wanted = new Set(bridges.flatMap((bridge) => [`-i ${bridge}`, `-o ${bridge}`]));
  const appended = rules.filter((rule) => rule.startsWith("-A "));
  // In Docker's chain the administrator's rules stay first. In FORWARD any rule may drop, so the station's come first.
  const end = appended.findIndex((rule) => rule === `-A ${chain} -j RETURN`) + 1;
  const place = chain === "FORWARD" ? "1" : String(end || appended.length + 1);
  for (const direction of wanted)
    if (!present.has(direction)) await iptables(run, ["-I", chain, place, ...acceptRule(direction)]);
  for (const direction of present)
    if (!wanted.has(direction)) await iptables(run, ["-D", chain, ...acceptRule(direction)]);
}

/** Returns the rule for one direction: "-i BRIDGE" for packets from containers, "-o BRIDGE" for packets to them. */
function acceptRule(direction: string): string[] {
  const [flag = "", bridge = ""] = direction.split(" ");
  const match = ["-m", "conntrack", "--ctstate", "DNAT", "-m", "comment", "--comment", comment];
  return [flag, bridge, ...match, "-j", "ACCEPT"];
}

/** Lists the rules of a chain as `iptables -S` prints them. Returns undefined without that chain or without iptables. */
async function listChain(run: RunProgram, chain: string): Promise<string[] | undefined> {
  try {
    return (await iptables(run, ["-S", chain])).trim().split("\n");
  } catch (error) {
    if (hasCode(error, "engine_failed")) return undefined;
    throw error;
  }
}

function iptables(run: RunProgram, args: readonly string[]): Promise<string> {
  return run(["iptables", "-w", "5", ...args]);
}
