import type { Container } from "../../engine.ts";
import { setAddresses } from "../../network/live-addresses.ts";
import { countsSwap } from "../../processes/control-groups.ts";
import { reloadNetwork, setLiveHostname } from "../../reshape/live.ts";
import { memoryLines, quotaLines } from "../../shared/lxc-config.ts";
import type { Shape } from "../../shape.ts";
import { execIn } from "../exec/exec.ts";
import { readConfig, type Settings, settingsOf, withSettings, writeConfig } from "../files/config-file.ts";
import type { FactsStore } from "../files/container-facts.ts";
import type { Layout } from "../files/layout.ts";
import { addressSettings, addRoutes, removeRoutes, routesOf } from "../network/address-settings.ts";
import type { Addresses } from "../network/addresses.ts";
import { updateForward } from "../network/forward-address.ts";
import { inRoot, locateRoot } from "../rootfs/root-location.ts";
import { setHostname, setNameServers, setNetworkFile } from "./inside.ts";
import { hasResolverMounted, saveNameServers, nameServersOf, resolverMount } from "./name-servers.ts";
import type { PlannedShape } from "./plan.ts";
import type { Resizing } from "./resize.ts";

interface Deps {
  layout: Layout;
  bridge: string;
  addresses: Addresses;
  facts: FactsStore;
  resizing: Resizing;
}

/** A planned change of one container. */
interface Work {
  found: Container;
  change: Shape;
  plan: PlannedShape;
}

/** Returns what makes a planned change; the caller holds the container's lock and has stopped it where the plan says so. */
export function createApply({ layout, bridge, addresses, facts, resizing }: Deps) {
  /** Changes the root file system, the files in it and the configuration. What fails most likely comes first. */
  async function applyToFiles(work: Work, signal?: AbortSignal): Promise<void> {
    const { found, change, plan } = work;
    const { name } = found;
    const { subject, size, network } = plan;
    if (size?.live) await resizing.grow(subject, change.size as number);
    else if (size) await resizing.remake(subject, change.size as number, signal);
    const config = await readConfig(layout, name);
    await writeInside(layout, work, config);
    const near = network?.given.filter((one) => one.near).map(({ address }) => address);
    const mac = (await facts.get(name))?.macs[0];
    if (near && mac !== undefined) await addresses.reserveAll(name, mac, near);
    if (change.nameServers) await saveNameServers(layout, name, change.nameServers);
    const wanted = withSettings(config, await settingsFor({ layout, bridge }, work, config));
    const routes = routesOf(wanted);
    const kept = new Set(routes.map(({ address }) => address));
    // Before nobody knows of them any more.
    await removeRoutes(routesOf(config).filter(({ address }) => !kept.has(address)));
    await writeConfig(layout, name, wanted);
    if (network) await updateForward(layout, name, network.given);
    await addRoutes(routes);
  }

  /** Changes the host name and the addresses of a container that runs. */
  async function applyToRunning({ found, change, plan }: Work): Promise<void> {
    const { name, pid, paused } = found;
    const { network, subject } = plan;
    if (change.hostname !== undefined) await setLiveHostname(pid, change.hostname);
    if (!network) return;
    const target = { layout, name, task: subject.task };
    const managed = !paused && (await reloadNetwork((request, signal) => execIn(target, request, signal)));
    const card = { pid, name: cardOf(await readConfig(layout, name)), gateway: network.gateway };
    await setAddresses(card, network.given, managed);
  }

  return { applyToFiles, applyToRunning };
}

async function writeInside(layout: Layout, { found, change, plan }: Work, config: string): Promise<void> {
  const { name, pid } = found;
  const { hostname, nameServers } = change;
  const place = locateRoot(layout, name, config);
  if (!place || (hostname === undefined && !nameServers && !plan.network)) return;
  const servers = nameServers ?? (await nameServersOf(layout, name));
  await inRoot(place, plan.subject.task, async (root) => {
    const former = settingsOf(config, "lxc.uts.name").at(-1) ?? name;
    if (hostname !== undefined) await setHostname(root, former, hostname);
    // What is mounted there is what is read, and is this file's next name.
    if (nameServers && !(await hasResolverMounted(pid))) await setNameServers(root, nameServers);
    if (!plan.network) return;
    const { given, gateway } = plan.network;
    const facts = { card: cardOf(config), gateway, nameServers: servers.length > 0 ? servers : [gateway] };
    await setNetworkFile(root, given, facts);
  });
}

async function settingsFor(
  { layout, bridge }: Pick<Deps, "layout" | "bridge">,
  { found, change, plan: { network } }: Work,
  config: string,
): Promise<Settings> {
  const { hostname, cpuTime, memory, nameServers } = change;
  return {
    ...(hostname !== undefined && { "lxc.uts.name": hostname }),
    ...(cpuTime !== undefined && fromLines(quotaLines(cpuTime))),
    ...(memory !== undefined && fromLines(memoryLines(memory, await countsSwap()))),
    ...(network && addressSettings(config, network.given, { bridge, gateway: network.gateway })),
    ...(nameServers && resolverMount(layout, found.name, config)),
  };
}

/** Returns how the card is called inside. */
function cardOf(config: string): string {
  return settingsOf(config, "lxc.net.0.name").at(-1) ?? "eth0";
}

function fromLines(lines: readonly string[]): Settings {
  return Object.fromEntries(lines.map((line) => line.split(" = ", 2) as [string, string]));
}
