import { chmod, open, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { runChild } from "../../processes/child.ts";
import type { Container } from "../../engine.ts";
import { mountLine } from "../../shared/lxc-config.ts";
import type { Shape } from "../../shape.ts";
import { resolverText } from "../../reshape/inside-texts.ts";
import type { Addresses } from "../network/addresses.ts";
import { quotaLines, memoryLines } from "../create/config.ts";
import { readConfig, type Settings, settingsOf, withSettings, writeConfig } from "../files/config-file.ts";
import { execIn } from "../exec/exec.ts";
import type { ContainerFacts } from "../files/container-facts.ts";
import { addressSettings, addRoutes, removeRoutes, routesOf } from "../network/address-settings.ts";
import { countsSwap } from "../create/host.ts";
import { setHostname, setNameServers, setNetworkFile } from "./inside.ts";
import type { Layout } from "../files/layout.ts";
import { setAddresses } from "../../network/live-addresses.ts";
import { setLimits } from "./live-limits.ts";
import { limitsOf, sizeLimit } from "../inspect/inspect.ts";
import type { Resizing } from "./resize.ts";
import type { RestartMark } from "../process/restart-mark.ts";
import { inRoot, locateRoot } from "../rootfs/root-location.ts";
import { createShapePlan, type PlannedShape } from "./plan.ts";
import { keepForward } from "../network/forward-address.ts";

interface Deps {
  layout: Layout;
  bridge: string;
  addresses: Addresses;
  facts: { get(name: string): Promise<ContainerFacts | undefined> };
  resizing: Resizing;
  mark: RestartMark;
  startNow(name: string): Promise<void>;
  endGently(found: Container, options: { signal?: AbortSignal | undefined }): Promise<void>;
}

/** Changes of a container as it is. Everything is called for one container after the other. */
export function createReshape(deps: Deps) {
  const { layout, bridge, addresses, facts, resizing, mark, startNow, endGently } = deps;
  const planned = createShapePlan(deps);

  async function shape(name: string): Promise<Shape> {
    const config = await readConfig(layout, name);
    const one = (key: string): string | undefined => settingsOf(config, key).at(-1);
    const { cpuTime, memory } = limitsOf(one);
    const hostname = one("lxc.uts.name");
    const given = settingsOf(config, "lxc.net.0.ipv4.address").flatMap((line) => line.split(" ")[0] ?? []);
    const nameServers = await nameServersOf(layout, name);
    return {
      ...(hostname !== undefined && { hostname }),
      ...(cpuTime !== undefined && { cpuTime }),
      ...(memory !== undefined && { memory }),
      ...(await sizeLimit(layout, name, config)),
      ...(given.length > 0 && { addresses: given }),
      ...(nameServers.length > 0 && { nameServers }),
    };
  }

  async function plan(found: Container, change: Shape, signal?: AbortSignal): Promise<{ restarts: boolean }> {
    try {
      const { restarts } = await planned(found, change, signal);
      return { restarts };
    } finally {
      addresses.release(found.name);
    }
  }

  async function reshape(found: Container, change: Shape, signal?: AbortSignal): Promise<void> {
    const { name } = found;
    try {
      const work = await planned(found, change, signal);
      await resizing.removeRemains(work.subject);
      const putBack = work.subject.running && !work.restarts ? await setLimits(found.pid, change) : undefined;
      if (work.restarts) await mark.set(name);
      try {
        if (work.restarts) await endGently(found, { signal });
        await make(found, change, work, signal);
      } catch (error) {
        await putBack?.();
        throw error;
      } finally {
        // Also what an earlier try has stopped.
        if (await mark.isSet(name)) await startNow(name);
        await mark.clear(name);
      }
      if (work.subject.running && !work.restarts) await makeLive(found, change, work);
    } finally {
      addresses.release(name);
    }
  }

  /** What fails most likely comes first. */
  async function make(found: Container, change: Shape, work: PlannedShape, signal?: AbortSignal): Promise<void> {
    const { name } = found;
    const { subject, size, network } = work;
    if (size?.live) await resizing.grow(subject, change.size as number);
    else if (size) await resizing.remake(subject, change.size as number, signal);
    const config = await readConfig(layout, name);
    await writeInside(found, change, work, config);
    const near = network?.given.filter((one) => one.near).map(({ address }) => address);
    const mac = (await facts.get(name))?.macs[0];
    if (near && mac !== undefined) await addresses.reserveAll(name, mac, near);
    if (change.nameServers) await keepNameServers(layout, name, change.nameServers);
    const wanted = withSettings(config, await settingsFor(name, config, change, work));
    const routes = routesOf(wanted);
    const kept = new Set(routes.map(({ address }) => address));
    // Before nobody knows of them any more.
    await removeRoutes(routesOf(config).filter(({ address }) => !kept.has(address)));
    await writeConfig(layout, name, wanted);
    if (network) await keepForward(layout, name, network.given);
    await addRoutes(routes);
  }

  async function writeInside({ name, pid }: Container, change: Shape, work: PlannedShape, config: string) {
    const { hostname, nameServers } = change;
    const place = locateRoot(layout, name, config);
    if (!place || (hostname === undefined && !nameServers && !work.network)) return;
    const servers = nameServers ?? (await nameServersOf(layout, name));
    await inRoot(place, work.subject.task, async (root) => {
      const former = settingsOf(config, "lxc.uts.name").at(-1) ?? name;
      if (hostname !== undefined) await setHostname(root, former, hostname);
      // What is mounted there is what is read, and is this file's next name.
      if (nameServers && !(await hasResolverMounted(pid))) await setNameServers(root, nameServers);
      if (!work.network) return;
      const { given, gateway } = work.network;
      const facts = { card: cardOf(config), gateway, nameServers: servers.length > 0 ? servers : [gateway] };
      await setNetworkFile(root, given, facts);
    });
  }

  async function settingsFor(
    name: string,
    config: string,
    change: Shape,
    { network }: PlannedShape,
  ): Promise<Settings> {
    const { hostname, cpuTime, memory, nameServers } = change;
    return {
      ...(hostname !== undefined && { "lxc.uts.name": hostname }),
      ...(cpuTime !== undefined && fromLines(quotaLines(cpuTime))),
      ...(memory !== undefined && fromLines(memoryLines(memory, await countsSwap()))),
      ...(network && addressSettings(config, network.given, { bridge, gateway: network.gateway })),
      ...(nameServers && resolverMount(layout, name, config)),
    };
  }

  async function makeLive(found: Container, change: Shape, { network, subject }: PlannedShape): Promise<void> {
    const { name, pid, paused } = found;
    const { hostname } = change;
    if (hostname !== undefined)
      await runChild(["nsenter", "-t", String(pid), "--uts", "--", "hostname", hostname], { task: "lxc" });
    if (!network) return;
    const managed = !paused && (await reloadNetwork({ layout, name, task: subject.task }));
    const card = { pid, name: cardOf(await readConfig(layout, name)), gateway: network.gateway };
    await setAddresses(card, network.given, managed);
  }

  return { shape, plan, reshape };
}

function cardOf(config: string): string {
  return settingsOf(config, "lxc.net.0.name").at(-1) ?? "eth0";
}

function fromLines(lines: readonly string[]): Settings {
  return Object.fromEntries(lines.map((line) => line.split(" = ", 2) as [string, string]));
}

/** Answers whether systemd-networkd is there and was told. */
async function reloadNetwork(target: Parameters<typeof execIn>[0]): Promise<boolean> {
  const request = { command: ["networkctl", "reload"], environment: [] } as const;
  const result = await execIn(target, request, AbortSignal.timeout(10_000)).catch(() => undefined);
  return result?.exitCode === 0;
}

function resolverFile(layout: Layout, name: string): string {
  return path.join(layout.home(name), "resolv.conf");
}

/** In place, because it may be mounted. */
async function keepNameServers(layout: Layout, name: string, servers: readonly string[]): Promise<void> {
  const file = resolverFile(layout, name);
  await writeFile(file, resolverText(servers));
  await chmod(file, 0o644);
}

/** The file is mounted inside, where a root with enough rights may have made it writable, and as large as the disk. */
async function nameServersOf(layout: Layout, name: string): Promise<string[]> {
  const text = await readStart(resolverFile(layout, name), resolverSize);
  return [...text.matchAll(/^nameserver (\S+)$/gm)].map(([, server]) => server ?? "");
}

/** More than all that are given. */
const resolverSize = 4096;

/** "": no such file. */
async function readStart(file: string, length: number): Promise<string> {
  const handle = await open(file, "r").catch(() => undefined);
  if (!handle) return "";
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Whatever asks for an address inside cannot write others over it; where a link is in its place LXC passes over it. */
function resolverMount(layout: Layout, name: string, config: string): Settings {
  const key = "lxc.mount.entry";
  const line = mountLine(resolverFile(layout, name), target, ["bind", "ro", "optional"]);
  const others = settingsOf(config, key).filter((entry) => entry.split(" ")[1] !== target);
  return { [key]: [...others, line.slice(`${key} = `.length)] };
}

const target = "etc/resolv.conf";

async function hasResolverMounted(pid: number): Promise<boolean> {
  const table = pid > 0 ? await readFile(`/proc/${pid}/mountinfo`, "utf8").catch(() => "") : "";
  return table.split("\n").some((line) => line.split(" ")[4] === `/${target}`);
}
