import { AppError } from "../../errors.ts";
import { runProcess } from "../../util/process/run-process.ts";

/**
 * Lets packets pass between the ports of a bridge: Docker drops what is forwarded, also there. Does nothing without
 * iptables, where nothing is dropped. Throws `cancelled`.
 */
export async function allowForwarding(bridge: string, signal?: AbortSignal): Promise<void> {
  const rule = ["DOCKER-USER", "-i", bridge, "-o", bridge, "-j", "ACCEPT"];
  const present = await iptables(["-C", ...rule], signal);
  if (!present) await iptables(["-I", ...rule], signal);
}

async function iptables(args: readonly string[], signal: AbortSignal | undefined): Promise<boolean> {
  const { code, stopped } = await runProcess(["iptables", "-w", "5", ...args], { signal });
  if (stopped) throw new AppError("cancelled", "Opening the firewall was stopped on request.");
  return code === 0;
}
