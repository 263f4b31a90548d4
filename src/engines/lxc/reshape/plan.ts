import { invalid } from "../../../errors.ts";
import type { Container } from "../../engine.ts";
import type { Shape } from "../../shape.ts";
import type { Addresses } from "../network/addresses.ts";
import { readConfig, settingsOf } from "../files/config-file.ts";
import type { FactsStore } from "../files/container-facts.ts";
import { type GivenAddress, parseAddresses } from "../../network/given-addresses.ts";
import { checkMemory } from "../../reshape/memory.ts";
import { fieldInFiles, noResolver } from "../../reshape/own-files.ts";
import { checkShape } from "../../reshape/check-shape.ts";
import { checkWritable, findResolverObstacle } from "./inside.ts";
import type { Layout } from "../files/layout.ts";
import type { Resizing, SizePlan, Subject } from "./resize.ts";
import { inRoot, locateRoot } from "../rootfs/root-location.ts";

interface Deps {
  layout: Layout;
  bridge: string;
  addresses: Addresses;
  facts: FactsStore;
  resizing: Resizing;
}

/** What a change comes to; all of it can be done. */
export interface PlannedShape {
  /** The container. */
  subject: Subject;
  /** The container runs at this moment. */
  running: boolean;
  /** What is done for a new size; undefined = nothing. */
  size: SizePlan;
  /** It runs, and must be stopped for this. */
  restarts: boolean;
  /** New addresses, and the bridge's own address as the way out. */
  network?: { given: GivenAddress[]; gateway: string };
}

/**
 * Looks whether a change can be made. The addresses in it are the container's from then on, until they are released.
 */
export function createReshapePlan({ layout, bridge, addresses, facts, resizing }: Deps) {
  return async function plan(found: Container, change: Shape, signal?: AbortSignal): Promise<PlannedShape> {
    checkShape(change);
    const subject = subjectOf(found);
    const config = await readConfig(layout, found.name);
    if (change.memory !== undefined && found.pid > 0) await checkMemory(found.pid, change.memory);
    if (change.nameServers) await checkResolver(subject, config);
    const size = change.size === undefined ? undefined : await resizing.plan(subject, change.size);
    // A new size makes room, or has been looked at.
    if (!size) await checkFiles(subject, config, change);
    const network = change.addresses && (await planNetwork(found.name, config, change.addresses, signal));
    const running = found.pid > 0;
    return { subject, running, size, restarts: running && size?.live === false, ...(network && { network }) };
  };

  async function checkResolver({ name, task }: Subject, config: string): Promise<void> {
    const place = locateRoot(layout, name, config);
    const reason = place
      ? await inRoot(place, task, findResolverObstacle)
      : "has its files elsewhere: there is no place";
    if (reason !== undefined) throw noResolver("LXC", name, reason);
  }

  /** Throws `conflict` when the container's own files cannot be written, before anything is changed. */
  async function checkFiles({ name, task }: Subject, config: string, change: Shape): Promise<void> {
    const field = fieldInFiles(change);
    const place = field && locateRoot(layout, name, config);
    if (place) await inRoot(place, task, (root) => checkWritable(root, field));
  }

  async function planNetwork(name: string, config: string, wanted: readonly string[], signal?: AbortSignal) {
    const one = (key: string): string | undefined => settingsOf(config, `lxc.net.0.${key}`).at(-1);
    if (one("type") !== "veth" || one("link") !== bridge)
      throw invalid("addresses", `can only be changed behind LXC's bridge ${bridge}.`);
    const subnet = await addresses.subnet(signal);
    const given = parseAddresses(wanted, subnet);
    await addresses.claim(name, given, (await facts.get(name))?.macs ?? [], signal);
    return { given, gateway: subnet.address };
  }
}

function subjectOf({ name, mark }: Container): Subject {
  const owner = mark ?? { station: "none", task: 0 };
  return { name, owner, task: `${owner.station}/${owner.task}` };
}
