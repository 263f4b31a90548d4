import { AppError } from "../../../errors.ts";
import { runChild } from "../../../util/process/run-child.ts";
import { removeTree } from "../../processes/remove-tree.ts";
import type { LxcEvents } from "../events.ts";
import { readConfig } from "../files/config-file.ts";
import type { FactsStore } from "../files/container-facts.ts";
import type { Layout } from "../files/layout.ts";
import type { Staging } from "../files/staging.ts";
import { removeRoutes, routesOf } from "../network/address-settings.ts";
import type { Addresses } from "../network/addresses.ts";
import type { ContainerProcess } from "../process/container-process.ts";

/** What a container is removed by. */
export interface RemoveDeps {
  /** Where containers are. */
  layout: Layout;
  /** What their files say. */
  facts: FactsStore;
  /** Where a container goes before its files are deleted. */
  staging: Staging;
  /** Gives back the address that was reserved for it. */
  addresses: Addresses;
  /** Kills it. */
  processes: ContainerProcess;
  /** Tells subscribers that it is gone before its files are deleted, which may take long. */
  events: LxcEvents;
}

/**
 * Returns the function that kills and removes a container; the caller holds its lock. None of that name is no error. It
 * throws `engine_failed` when LXC cannot give up storage that is none of the container's own folder.
 */
export function createRemove({ layout, facts, staging, addresses, processes, events }: RemoveDeps) {
  return async function remove(name: string): Promise<void> {
    const known = await facts.get(name);
    if (!known) return;
    await processes.kill(name);
    if (!isBelow(known.rootfs, layout.home(name))) return destroy(name);
    const owner = known.station?.mark ?? { station: "none", task: 0 };
    // Before nobody knows of them any more.
    await removeRoutes(routesOf(await readConfig(layout, name)));
    const folder = await staging.withdraw(name, owner);
    await addresses.unreserve(name);
    await events.refresh();
    await removeTree(folder, { task: `${owner.station}/${owner.task}` });
  };

  /** Removes a container by LXC, which knows how to give up storage that is no folder of the container's own. */
  async function destroy(name: string): Promise<void> {
    await runChild(["lxc-destroy", "-P", layout.path, "-n", name], { task: "lxc" });
    if (await facts.get(name)) throw new AppError("engine_failed", `LXC did not remove container ${name}.`);
  }
}

/**
 * Returns whether a root file system is in the container's folder: one of another kind may have a volume group or a
 * snapshot behind it.
 */
function isBelow(rootfs: string, home: string): boolean {
  const [, type, place = ""] = /^(?:(\w+):)?(.*)$/.exec(rootfs) ?? [];
  return (type === undefined || type === "dir" || type === "loop") && place.startsWith(`${home}/`);
}
