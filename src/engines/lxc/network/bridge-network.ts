import { AppError } from "../../../errors.ts";
import { runChild } from "../../../util/process/run-child.ts";
import type { Subnet } from "../../../util/addresses/subnet.ts";

/** Returns the network of LXC's bridge, by the bridge's own address. Throws `engine_failed` when it has none. */
export async function bridgeSubnet(bridge: string, signal: AbortSignal | undefined): Promise<Subnet> {
  const argv = ["ip", "-4", "-o", "address", "show", "dev", bridge] as const;
  const text = await runChild(argv, { task: "lxc", signal }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    return "";
  });
  const [, address, length] = /inet ([\d.]+)\/(\d+)/.exec(text) ?? [];
  if (address && length) return { address, length: Number(length) };
  throw new AppError("engine_failed", `LXC's bridge ${bridge} has no address on this host; start lxc-net once.`);
}
