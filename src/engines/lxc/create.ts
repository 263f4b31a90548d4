import { mkdir } from "node:fs/promises";
import path from "node:path";

import { AppError } from "../../errors.ts";
import { runChild, wasKilled } from "../child.ts";
import type { ContainerSpec } from "../engine.ts";
import type { Rootfs, SystemImages } from "../system-images/system-images.ts";
import type { Addresses, Place } from "./addresses.ts";
import { type ConfigFacts, containerConfig } from "./config.ts";
import type { StationFacts } from "./facts.ts";
import { cancelled, createFailure, nameTaken, unavailable } from "./failures.ts";
import { lookAtHost } from "./host.ts";
import { folderName, imageName, type Layout } from "./layout.ts";
import { makeLoopRoot } from "./loop-root.ts";
import { writeSynced } from "./replace-file.ts";
import { hasSystemd, makeMountPoint, writeHostname } from "./rootfs.ts";
import type { Staging } from "./staging.ts";

/** In a folder that nobody else has. */
const fresh = { flag: "wx", mode: 0o640 } as const;

interface Deps {
  layout: Layout;
  staging: Staging;
  addresses: Addresses;
  images: SystemImages;
  bridge: string;
}

interface Making {
  spec: ContainerSpec;
  rootfs: Rootfs;
  place: Place;
  /** In staging. */
  folder: string;
  signal: AbortSignal | undefined;
}

/**
 * Makes a container from an archive: unpacked in staging, its configuration beside it, then renamed to its place. When it
 * has failed or was stopped nothing of it is left and nothing goes on.
 */
export function createMaker({ layout, staging, addresses, images, bridge }: Deps) {
  /** Names that this process makes containers for. */
  const making = new Set<string>();

  return async function make(spec: ContainerSpec, signal?: AbortSignal): Promise<void> {
    const rootfs = await images.rootfs(spec.image);
    if (!rootfs) throw new AppError("not_found", `LXC has no image ${spec.image} on this host.`);
    if (making.has(spec.name)) throw nameTaken(spec.name);
    making.add(spec.name);
    try {
      const place = await addresses.take(spec, signal);
      await makeStaged({ spec, rootfs, place, folder: await staging.open(spec.mark, spec.name), signal });
    } catch (error) {
      throw createFailure(error, spec.name);
    } finally {
      addresses.release(spec.name);
      making.delete(spec.name);
    }
  };

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
    const host = lookAtHost(spec);
    host.catch(() => undefined);
    await writeSynced(path.join(folder, "gantry.json"), `${JSON.stringify(stationFacts(work, bridge))}\n`, fresh);
    const inside = await withRoot(work, (root) => fillRoot(work, root));
    const facts: ConfigFacts = {
      ...(await host),
      ...inside,
      home: layout.home(spec.name),
      architecture: rootfs.architecture,
      bridge,
      mac: work.place.mac,
      address: fixedAddress(work.place),
    };
    await writeSynced(path.join(folder, "config"), containerConfig(spec, facts), fresh);
  }
}

/** A folder, or a file system of its own that is mounted for nobody else. */
async function withRoot<T>({ spec, folder }: Making, work: (root: string) => Promise<T>): Promise<T> {
  const { size } = spec.limits;
  if (size !== undefined) {
    const { station, task } = spec.mark;
    return makeLoopRoot({ image: path.join(folder, imageName), size, task: `${station}/${task}` }, work);
  }
  const root = path.join(folder, folderName);
  await mkdir(root, { mode: 0o755 });
  return work(root);
}

async function fillRoot(work: Making, root: string): Promise<Pick<ConfigFacts, "mountPoints" | "systemd">> {
  const { spec } = work;
  await unpack(work, root);
  await writeHostname(root, spec.hostname ?? spec.name);
  const mountPoints: string[] = [];
  for (const { target } of spec.mounts) mountPoints.push(await makeMountPoint(root, target));
  return { mountPoints, systemd: await hasSystemd(root) };
}

/** Everything but sparse files comes out as it was: owners by number, modes, capabilities and other attributes. */
async function unpack({ spec, rootfs, signal }: Making, root: string): Promise<void> {
  const all = ["--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls", "-p"];
  const { station, task } = spec.mark;
  const argv = ["tar", "-C", root, ...all, "-I", "zstd", "-xf", rootfs.archive] as const;
  try {
    await runChild(argv, { task: `${station}/${task}`, signal });
  } catch (error) {
    if (signal?.aborted) throw cancelled(error);
    // As an engine that crashed: whoever asked tries again.
    throw wasKilled(error) ? unavailable("a program of it was ended", error) : error;
  }
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
