import { AppError, messageOf } from "../errors.ts";
import type { PortTable } from "./table.ts";

/** Records whether this host can forward ports: for example, `nft` may be missing until somebody installs it. */
export function createAvailability(table: PortTable) {
  let reason: string | undefined;

  async function probe(): Promise<void> {
    try {
      await table.probe();
      reason = undefined;
    } catch (error) {
      reason = `This host cannot forward ports of containers: ${messageOf(error)}`;
    }
  }

  return {
    probe,
    /** Returns why this host cannot forward ports, or undefined if it can or was not probed yet. */
    reason: () => reason,
    /** Probes again after a failure. Returns false if forwarding is impossible; throws `unsupported` if it is needed. */
    async check(needed: boolean): Promise<boolean> {
      if (reason !== undefined) await probe();
      if (reason === undefined) return true;
      if (needed) throw new AppError("unsupported", reason);
      return false;
    },
  };
}
