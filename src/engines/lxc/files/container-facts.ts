import type { Stats } from "node:fs";
import { access, readFile, stat } from "node:fs/promises";

import type { Container } from "../../engine.ts";
import type { ContainerSettings, OwnerMark, PortMapping } from "../../container-spec.ts";
import { type IdRange, mappedRanges } from "../id-map/id-range.ts";
import type { Layout } from "./layout.ts";

/** What the station keeps of a container beside LXC's own configuration; `gantry.json`. */
export interface StationFacts {
  /** Which task made it. */
  mark: OwnerMark;
  /** As it was asked for: NAME:TAG or an id. */
  image: string;
  /** 64 hex digits. */
  imageId: string;
  /** Ports of the host that the station forwards to it. */
  ports: readonly PortMapping[];
  /** Folders of the host. */
  mounts: readonly string[];
  /** Where they are forwarded to. */
  forward?: NonNullable<Container["forward"]>;
  /** As it was asked for, where the configuration says it otherwise. */
  given?: Pick<ContainerSettings, "mode" | "devices" | "mounts">;
}

/** What the files of a container say. */
export interface ContainerFacts {
  /** Inode and time of birth of the container's folder. */
  incarnation: string;
  /** Absent: not made by a station. */
  station?: StationFacts;
  /** Where the root file system is, as in LXC's configuration: perhaps `dir:` before its path. */
  rootfs: string;
  /** Given to the container's cards by LXC, without prefix length. */
  addresses: readonly string[];
  /** MAC addresses of its cards, in lower case. */
  macs: readonly string[];
  /** Ids of the host that its users have; [] for a privileged one. */
  idRanges: readonly IdRange[];
  /** It was started before. */
  ran: boolean;
}

/** Reads the files of containers, once for each state that they are in. */
export interface FactsStore {
  /** Returns what the files of a container say; undefined when there is no container of that name. */
  get(name: string): Promise<ContainerFacts | undefined>;
  /** Forgets all containers but these. */
  retain(names: ReadonlySet<string>): void;
}

/** Milliseconds; a kernel's is at most 10. */
const tick = 100;

/**
 * Returns the facts of the containers below one LXC path. Files are read once for each state that they are in; the
 * state of a folder changes with what is made or renamed in it.
 */
export function createFactsStore(layout: Layout): FactsStore {
  const known = new Map<string, { state: string; facts: ContainerFacts }>();

  async function get(name: string): Promise<ContainerFacts | undefined> {
    const places = [stat(layout.config(name)), stat(layout.home(name))];
    const [config, home] = await Promise.all(places.map((place) => place.catch(() => undefined)));
    if (!config || !home) {
      known.delete(name);
      return undefined;
    }
    const state = `${describe(config)} ${describe(home)}`;
    const before = known.get(name);
    if (before?.state === state) return before.facts;
    const facts = await read(layout, name, `${home.ino}-${home.birthtimeMs}`);
    // The clock of files has ticks: what changes again within one looks the same.
    const settled = Date.now() - Math.max(config.mtimeMs, home.mtimeMs) > tick;
    if (facts && settled) known.set(name, { state, facts });
    return facts;
  }

  function retain(names: ReadonlySet<string>): void {
    for (const name of known.keys()) if (!names.has(name)) known.delete(name);
  }

  return { get, retain };
}

function describe({ ino, mtimeMs, size }: Stats): string {
  return `${ino} ${mtimeMs} ${size}`;
}

async function read(layout: Layout, name: string, incarnation: string): Promise<ContainerFacts | undefined> {
  const config = await readFile(layout.config(name), "utf8").catch(() => undefined);
  if (config === undefined) return undefined;
  const ran = access(layout.started(name)).then(
    () => true,
    () => false,
  );
  const station = parseStationFacts(await readFile(layout.facts(name), "utf8").catch(() => ""));
  return {
    incarnation,
    ...(station && { station }),
    rootfs: values(config, /^\s*lxc\.rootfs(?:\.path)?\s*=\s*(\S.*?)\s*$/gm).at(-1) ?? "",
    addresses: values(config, /^\s*lxc\.net\.\d+\.ipv4\.address\s*=\s*([\d.]+)/gm),
    macs: values(config, /^\s*lxc\.net\.\d+\.hwaddr\s*=\s*([\da-fA-F:]+)/gm).map((mac) => mac.toLowerCase()),
    idRanges: mappedRanges(config),
    ran: await ran,
  };
}

function values(config: string, setting: RegExp): string[] {
  return [...config.matchAll(setting)].flatMap(([, value]) => value ?? []);
}

/** Returns what a `gantry.json` says; undefined for one that another program has changed. */
function parseStationFacts(text: string): StationFacts | undefined {
  try {
    const facts = JSON.parse(text) as Partial<StationFacts>;
    const { mark, image = "", imageId = "", ports = [], mounts = [], forward, given } = facts;
    if (typeof mark?.station !== "string" || !Number.isSafeInteger(mark.task)) return undefined;
    const { station, task } = mark;
    const more = { ...(forward && { forward }), ...(given && { given }) };
    return { mark: { station, task }, image, imageId, ports, mounts, ...more };
  } catch {
    return undefined;
  }
}
