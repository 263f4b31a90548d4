import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { AppError } from "../../errors.ts";

const execute = promisify(execFile);
const folders = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

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
  try {
    await execute("iptables", ["-w", "5", ...args], { env: { PATH: folders, LC_ALL: "C" }, ...(signal && { signal }) });
    return true;
  } catch (cause) {
    if (signal?.aborted) throw new AppError("cancelled", "Opening the firewall was stopped on request.", { cause });
    return false;
  }
}
