import { mkdir } from "node:fs/promises";
import path from "node:path";

import { AppError, invalid } from "../../../errors.ts";
import { runChild } from "../../../util/process/run-child.ts";
import type { ContainerSpec } from "../../container-spec.ts";
import type { Rootfs, SystemImages } from "../../system-images/system-images.ts";
import type { Addresses, Place } from "../network/addresses.ts";
import { type ConfigFacts, containerConfig, type DeviceSource, type GivenIds } from "./config.ts";
import type { StationFacts } from "../files/container-facts.ts";
import type { LxcEvents } from "../events.ts";
import { cancelled, createFailure, nameTaken } from "../failures.ts";
import { readHostSupport } from "./host-support.ts";
import type { IdRanges } from "../id-map/id-ranges.ts";
import { allowTraversal, allowRootTraversal } from "../id-map/traversal.ts";
import { devicesName, folderName, imageName, isContainerName, type Layout } from "../files/layout.ts";
import { makeLoopRoot } from "../rootfs/loop-image.ts";
import { assertPathExists } from "../inspect/find.ts";
import { isSocketName } from "../process/running-containers.ts";
import { writeSynced } from "../files/replace-file.ts";
import { hasSystemd, makeMountPoint, writeHostname } from "../rootfs/unpacked-root.ts";
import type { Staging } from "../files/staging.ts";
import { unpack } from "../rootfs/unpack.ts";

/** For new files in a folder that nobody else has. */
const fresh = { flag: "wx", mode: 0o640 } as const;

/** What containers are made by. */
export interface CreateDeps {
  /** Where containers are. */
  layout: Layout;
  /** Where a container is made before it is renamed to its place. */
  staging: Staging;
  /** Gives the container a MAC address, and an address where it has ports. */
  addresses: Addresses;
  /** Gives the container its user ids. */
  ids: IdRanges;
  /** Returns whether LXC can mount a root file system with the owners of a container; `inFile`: one with a size. */
  mapsOwners: (inFile: boolean) => Promise<boolean>;
  /** The archives that containers are made from. */
  images: SystemImages;
  /** LXC's own bridge, as lxcbr0. */
  bridge: string;
  /** Tells subscribers of the new container. */
  events: LxcEvents;
}

interface Making {
  spec: ContainerSpec;
  rootfs: Rootfs;
  place: Place;
  /** Absent: the container is privileged. */
  ids: GivenIds | undefined;
  /** The container's folder in staging. */
  folder: string;
  signal: AbortSignal | undefined;
}

/**
 * Returns the function that makes a container from an archive: the archive is unpacked in staging, the configuration is
 * written beside it, and the folder is renamed to its place. When it has failed or was stopped nothing of it is left and
 * nothing goes on. Throws `invalid` for a bad name, `not_found` without the image, `conflict` for a name that is taken.
 */
export function createCreate(deps: CreateDeps) {
  const { layout, staging, addresses, ids, images, bridge, events } = deps;
  /** Names that this process makes containers for. */
  const making = new Set<string>();

  return async function create(spec: ContainerSpec, signal?: AbortSignal): Promise<string> {
    if (signal?.aborted) throw cancelled();
    if (!isContainerName(spec.name)) throw invalid("name", "must not begin with a dot or contain a slash.");
    if (!isSocketName(layout, spec.name)) throw invalid("name", `is too long for containers in ${layout.path}.`);
    await assertPathExists(layout);
    await events.refresh();
    await make(spec, signal);
    await events.refresh();
    return spec.name;
  };

  async function make(spec: ContainerSpec, signal?: AbortSignal): Promise<void> {
    const rootfs = await images.rootfs(spec.image);
    if (!rootfs) throw new AppError("not_found", `LXC has no image ${spec.image} on this host.`);
    if (making.has(spec.name)) throw nameTaken(spec.name);
    making.add(spec.name);
    try {
      const [place, given] = await Promise.all([
        addresses.take(spec, signal),
        spec.privileged ? undefined : assignIds(deps, spec),
      ]);
      const folder = await staging.open(spec.mark, spec.name);
      await makeStaged({ spec, rootfs, place, ids: given, folder, signal });
    } catch (error) {
      throw createFailure(error, spec.name);
    } finally {
      addresses.release(spec.name);
      ids.release(spec.name);
      making.delete(spec.name);
    }
  }

  async function makeStaged(work: Making): Promise<void> {
    const { spec, folder, place, signal } = work;
    let claimed = false;
    try {
      await staging.claim(spec.name);
      claimed = true;
      // First, so that nobody is given the address meanwhile.
      await addresses.reserve(spec.name, place);
      await fill(work);
      if (signal?.aborted) throw cancelled();
      await staging.publish(folder, spec.name);
    } catch (error) {
      // Of a name that is another's, nothing but what is in staging is ours.
      if (claimed) await addresses.unreserve(spec.name);
      await staging.discard(folder, spec.name, spec.mark);
      throw error;
    }
  }

  async function fill(work: Making): Promise<void> {
    const { spec, rootfs, folder } = work;
    const host = readHostSupport(spec);
    host.catch(() => undefined);
    await writeSynced(path.join(folder, "gantry.json"), `${JSON.stringify(stationFacts(work, bridge))}\n`, fresh);
    const inside = await withRoot(work, (root) => fillRoot(work, root));
    const { nodes, ...counted } = await host;
    const facts: ConfigFacts = {
      ...counted,
      ...inside,
      nodes: await copyDeviceNodes(work, nodes, layout.home(spec.name)),
      ids: work.ids,
      home: layout.home(spec.name),
      architecture: rootfs.architecture,
      bridge,
      mac: work.place.mac,
      address: fixedAddress(work.place),
    };
    await writeSynced(path.join(folder, "config"), containerConfig(spec, facts), fresh);
    if (work.ids) await allowRootTraversal(folder, work.ids.range);
  }
}

/** Returns user ids for a container that is not privileged, and lets them pass to its folder. */
async function assignIds({ layout, ids, mapsOwners }: CreateDeps, { name, limits }: ContainerSpec): Promise<GivenIds> {
  await allowTraversal(layout.path);
  return { range: await ids.take(name), mappedByMount: await mapsOwners(limits.size !== undefined) };
}

/**
 * Runs `work` with the container's empty root: a folder, or a file system of its own that is mounted for nobody else.
 */
async function withRoot<T>({ spec, ids, folder }: Making, work: (root: string) => Promise<T>): Promise<T> {
  const { size } = spec.limits;
  const root = path.join(folder, folderName);
  // With a size the file is mounted there, but where LXC does that itself.
  if (size === undefined || ids) await mkdir(root, { mode: 0o755 });
  if (size === undefined) return work(root);
  return makeLoopRoot({ image: path.join(folder, imageName), size, task: taskOf(spec) }, work);
}

async function fillRoot(work: Making, root: string): Promise<Pick<ConfigFacts, "mountPoints" | "systemd">> {
  const { spec, rootfs, ids, signal } = work;
  const shiftedTo = ids && !ids.mappedByMount ? ids.range : undefined;
  await unpack({ archive: rootfs.archive, root, task: taskOf(spec), shiftedTo, signal });
  const owner = shiftedTo?.start ?? 0;
  await writeHostname(root, spec.hostname ?? spec.name, owner);
  const mountPoints: string[] = [];
  for (const { target } of spec.mounts) mountPoints.push(await makeMountPoint(root, target, owner));
  return { mountPoints, systemd: await hasSystemd(root) };
}

/**
 * Copies device nodes for a container with ids of its own, in which the host's belong to nobody: the copies belong to
 * its root.
 */
async function copyDeviceNodes(
  { spec, folder, ids }: Making,
  nodes: readonly string[],
  home: string,
): Promise<DeviceSource[]> {
  if (!ids || nodes.length === 0) return nodes.map((node) => ({ path: node, source: node }));
  const copies = path.join(folder, devicesName);
  const options = { task: taskOf(spec) };
  await mkdir(copies, { mode: 0o700 });
  await runChild(["cp", "-a", "--parents", "--", ...nodes.map((node) => node.slice(1)), copies], {
    ...options,
    cwd: "/",
  });
  const { start } = ids.range;
  await runChild(["chown", "-R", `${start}:${start}`, "--", copies], options);
  return nodes.map((node) => ({ path: node, source: path.join(home, devicesName, node) }));
}

function taskOf({ mark: { station, task } }: ContainerSpec): string {
  return `${station}/${task}`;
}

function stationFacts({ spec, rootfs, place }: Making, bridge: string): StationFacts {
  const { mark, image, network, ports, mounts, devices } = spec;
  return {
    mark,
    image,
    imageId: rootfs.id,
    // Elsewhere the container's ports are reachable as they are.
    ports: network.mode === "nat" ? ports : [],
    mounts: mounts.map(({ source }) => source),
    given: { mode: network.mode, devices, mounts },
    ...(place.address !== undefined && { forward: { address: place.address, bridge } }),
  };
}

function fixedAddress({ address, subnet }: Place): ConfigFacts["address"] {
  return address && subnet ? { address: `${address}/${subnet.length}`, gateway: subnet.address } : undefined;
}
