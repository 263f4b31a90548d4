import { readFile } from "node:fs/promises";

import { allowForwarding } from "../network/bridge-firewall.ts";
import { runChild } from "../../util/process/run-child.ts";
import { systemContainers } from "../capabilities.ts";
import type { Container, Engine, EngineInfo } from "../engine.ts";
import type { Images, PullOptions } from "../images.ts";
import type { SystemImages } from "../system-images/system-images.ts";
import { createAddresses } from "./network/addresses.ts";
import { createContainers } from "./containers.ts";
import { createLxcEvents, type LxcEvents } from "./events.ts";
import { assertPathExists, createFinder } from "./inspect/find.ts";
import { createSnapshot } from "./inspect/snapshot.ts";
import { createFactsStore } from "./files/container-facts.ts";
import { unavailable } from "./failures.ts";
import { addRoutes, routesOf } from "./network/address-settings.ts";
import type { IdFiles } from "./id-map/host-ids.ts";
import { createIdRanges } from "./id-map/id-ranges.ts";
import { mapsOwners } from "./id-map/owner-mapping.ts";
import { createInitProcesses } from "./process/init-process.ts";
import { createLayout, type Layout } from "./files/layout.ts";
import { recover } from "./recover.ts";
import { createStaging } from "./files/staging.ts";

/** Which LXC is driven. */
export interface LxcOptions {
  /** Folder of the containers; LXC's own is /var/lib/lxc. Need not be there yet. */
  path: string;
  /** The store that containers are made from. */
  images: SystemImages;
  /** LXC's bridge: lxcbr0, as lxc-net has it. */
  bridge?: string;
  /** Where the bridge's DHCP server looks for reservations (`dhcp-hostsdir`). */
  hostsDir?: string;
  /** Where this host writes down who has which ids. */
  idFiles?: IdFiles;
}

/** Milliseconds after which LXC is asked for its version again. */
const versionLasts = 60_000;

/** Returns a driver of LXC, which has no daemon: it is driven by its files and its programs. */
export function createLxcEngine(options: LxcOptions): Engine {
  const { path, images, bridge = "lxcbr0", hostsDir = "/etc/lxc/gantry-dhcp-hosts" } = options;
  const layout = createLayout(path, hostsDir);
  const facts = createFactsStore(layout);
  const inits = createInitProcesses(layout);
  const staging = createStaging(layout);
  const events = createLxcEvents({ path, snapshot: createSnapshot({ layout, facts, inits }) });
  const finder = createFinder({ layout, facts, inits, events });
  const addresses = createAddresses({ layout, bridge, allFacts: finder.allFacts });
  const ids = createIdRanges({
    used: async () => [...(await finder.allFacts()).values()].flatMap(({ idRanges }) => idRanges),
    seed: layout.home,
    ...(options.idFiles && { files: options.idFiles }),
  });
  const info = createInfo(layout);
  const canMapOwners = async (inFile: boolean): Promise<boolean> =>
    mapsOwners(inFile ? "ext4" : { folder: layout.path }, (await info()).version);
  const making = { staging, addresses, ids, mapsOwners: canMapOwners, images, bridge, events };
  const containers = createContainers({ layout, facts, inits, finder, ...making });

  return {
    type: "lxc",
    capabilities: { ...systemContainers, hostNames: false },
    containers,
    images: withEvents(images, events),
    info,
    daemon: async () => undefined,
    events: events.subscribe,
    async attachNetwork({ id }: Container, signal?: AbortSignal) {
      const config = await readFile(layout.config(id), "utf8").catch(() => "");
      const joined = joinedBridge(config, bridge);
      if (joined !== undefined) await allowForwarding(joined, signal);
      await addRoutes(routesOf(config), signal);
    },
    recover: (station: string) => recover({ layout, staging, addresses, facts, inits }, station),
    close: () => undefined,
  };
}

function createInfo(layout: Layout): () => Promise<EngineInfo> {
  let known: { version: string; at: number } | undefined;
  return async () => {
    await assertPathExists(layout);
    if (!known || performance.now() - known.at > versionLasts) {
      known = { version: await askVersion(), at: performance.now() };
    }
    return { version: known.version };
  };
}

async function askVersion(): Promise<string> {
  try {
    return (await runChild(["lxc-info", "--version"], { task: "lxc", signal: AbortSignal.timeout(2_000) })).trim();
  } catch (error) {
    throw unavailable("its programs cannot be run on this host", error);
  }
}

/**
 * Returns the bridge of the host that a container is joined to, which Docker's firewall may have closed; undefined for
 * LXC's own.
 */
function joinedBridge(config: string, own: string): string | undefined {
  const link = setting(config, "link");
  return setting(config, "type") === "veth" && link !== own ? link : undefined;
}

function setting(config: string, name: string): string | undefined {
  return new RegExp(`^lxc\\.net\\.0\\.${name} = (.+)$`, "m").exec(config)?.[1];
}

/** Returns the store with events of what it gets and loses, which it tells nobody itself. */
function withEvents(images: SystemImages, events: LxcEvents): Images {
  return {
    list: images.list,
    get: images.get,
    async pull(reference: string, options: PullOptions) {
      await images.pull(reference, options);
      events.announce({ resource: "image", action: "pull", id: reference });
    },
    async remove(reference: string, signal?: AbortSignal) {
      await images.remove(reference, signal);
      events.announce({ resource: "image", action: "delete", id: reference });
    },
  };
}
