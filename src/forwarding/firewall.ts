import { hasCode } from "../errors.ts";
import type { RunProgram } from "./run.ts";

/** By which the station's rules in chains of others are known. */
const comment = "gantry-ports";

/**
 * What the table forwards must also pass the host's firewall: Docker drops whatever it did not allow itself, and so do
 * others. Only connections that were redirected pass, and their answers. Rules of before for other bridges go.
 */
export async function allowForwarded(run: RunProgram, bridges: readonly string[]): Promise<void> {
  const docker = await listChain(run, "DOCKER-USER");
  const forward = await listChain(run, "FORWARD");
  // Without iptables, or with nothing in it, nothing is dropped.
  const drops = (forward ?? []).some((rule) => !rule.includes(comment) && rule !== "-P FORWARD ACCEPT");
  if (docker) await keepRules(run, { chain: "DOCKER-USER", rules: docker, bridges });
  if (forward) await keepRules(run, { chain: "FORWARD", rules: forward, bridges: docker || !drops ? [] : bridges });
}

interface Chain {
  chain: string;
  /** As `iptables -S` prints them. */
  rules: readonly string[];
  bridges: readonly string[];
}

async function keepRules(run: RunProgram, { chain, rules, bridges }: Chain): Promise<void> {
  const present = new Set(
    rules.filter((rule) => rule.includes(comment)).map((rule) => /-[io] \S+/.exec(rule)?.[0] ?? ""),
  );
  const wanted = new Set(bridges.flatMap((bridge) => [`-i ${bridge}`, `-o ${bridge}`]));
  const appended = rules.filter((rule) => rule.startsWith("-A "));
  // What the administrator put into Docker's chain stays before it; all of FORWARD may end in a refusal.
  const end = appended.findIndex((rule) => rule === `-A ${chain} -j RETURN`) + 1;
  const place = chain === "FORWARD" ? "1" : String(end || appended.length + 1);
  for (const side of wanted) if (!present.has(side)) await iptables(run, ["-I", chain, place, ...accept(side)]);
  for (const side of present) if (!wanted.has(side)) await iptables(run, ["-D", chain, ...accept(side)]);
}

/** `side`: "-i BRIDGE" for the answers, "-o BRIDGE" for what is sent there. */
function accept(side: string): string[] {
  const [flag = "", bridge = ""] = side.split(" ");
  const match = ["-m", "conntrack", "--ctstate", "DNAT", "-m", "comment", "--comment", comment];
  return [flag, bridge, ...match, "-j", "ACCEPT"];
}

/** `undefined`: there is no such chain, or no iptables on this host. */
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
