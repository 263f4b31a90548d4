import { runCommand } from "./command.ts";

/**
 * Lets containers on these bridges reach other networks past Docker's firewall, which drops forwarded packets of others. The
 * rules go into Docker's chain DOCKER-USER: an nftables table of our own would not help, because a packet must be accepted
 * by all tables. Does nothing without that chain, since then Docker drops nothing.
 */
export async function allowBridges(bridges: readonly string[], env: Record<string, string>): Promise<void> {
  const iptables = async (...args: string[]): Promise<boolean> => {
    try {
      await runCommand(["iptables", "-w", "5", ...args], env);
      return true;
    } catch {
      return false;
    }
  };
  if (!(await iptables("-n", "-L", "DOCKER-USER"))) return;
  for (const rule of bridges.flatMap(bridgeRules)) {
    if (!(await iptables("-C", "DOCKER-USER", ...rule))) await iptables("-I", "DOCKER-USER", ...rule);
  }
}

function bridgeRules(bridge: string): string[][] {
  return [
    ["-i", bridge, "-j", "ACCEPT"],
    ["-o", bridge, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT"],
  ];
}
