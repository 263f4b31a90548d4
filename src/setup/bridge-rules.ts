import { runCommand } from "./command.ts";

/**
 * Docker drops what others forward, and what a table of nftables accepts is dropped all the same. Its chain DOCKER-USER
 * outlives its restarts; where there is none, nothing is dropped.
 */
export async function letOut(bridges: readonly string[], env: Record<string, string>): Promise<void> {
  const iptables = async (...args: string[]): Promise<boolean> => {
    try {
      await runCommand(["iptables", "-w", "5", ...args], env);
      return true;
    } catch {
      return false;
    }
  };
  if (!(await iptables("-n", "-L", "DOCKER-USER"))) return;
  for (const rule of bridges.flatMap(rulesOf)) {
    if (!(await iptables("-C", "DOCKER-USER", ...rule))) await iptables("-I", "DOCKER-USER", ...rule);
  }
}

function rulesOf(bridge: string): string[][] {
  return [
    ["-i", bridge, "-j", "ACCEPT"],
    ["-o", bridge, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT"],
  ];
}
