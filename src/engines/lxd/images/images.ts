import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

import { AppError } from "../../../errors.ts";
import type { Image, Images, PullOptions } from "../../images.ts";
import { onlyIncreasing } from "../../shared/increasing-progress.ts";
import { isUnreachable } from "../../system-images/failures.ts";
import { debianRelease, isIdPrefix, parseReference } from "../../system-images/reference.ts";
import { createRemote, type Remote, type RemoteOptions } from "../../system-images/remote.ts";
import { fetchSplitImage, findSplitImage } from "../../system-images/split-image.ts";
import type { SystemImages } from "../../system-images/system-images.ts";
import { cancelled } from "../failures.ts";
import type { LxdHttp } from "../client/http.ts";
import { aliasPath, createImageAliases } from "./aliases.ts";
import { importImage, importRootfs } from "./import.ts";
import type { Operations } from "../client/operations.ts";

/** Where images are pulled from. */
export interface ImageServers extends RemoteOptions {
  /** Address of the simplestreams server that references without a name are pulled from. */
  main: string;
  /** Others by name: `NAME:alias`. */
  named: Readonly<Record<string, string>>;
  /** Has a Debian when the main server is not in reach. */
  systemImages?: SystemImages | undefined;
  /** What is downloaded lies here for as long as LXD takes it. */
  folder: string;
}

interface LxdImage {
  fingerprint: string;
  type: string;
  size: number;
  aliases: { name: string }[] | null;
}

const fullId = /^[0-9a-f]{64}$/;

/**
 * Returns the images of one LXD. A reference is an alias, as debian/12, or a fingerprint, or 12 and more of its digits;
 * `NAME:` before it says where it is pulled from. A Debian that the main server cannot be asked for is taken from the
 * station's own images.
 */
export function createImages(http: LxdHttp, operations: Operations, servers: ImageServers): Images {
  const aliases = createImageAliases(http, operations);
  const remotes = new Map<string, Remote>();

  const takeOwn = createTakeOwn({ http, operations, aliases, systemImages: servers.systemImages });

  function remoteOf(server: string): Remote {
    const remote = remotes.get(server) ?? createRemote(server, servers);
    remotes.set(server, remote);
    return remote;
  }

  async function list(signal?: AbortSignal): Promise<Image[]> {
    const images = await http.get<LxdImage[]>("/1.0/images?recursion=1", signal);
    return images.filter(({ type }) => type !== "virtual-machine").map(toImage);
  }

  async function get(reference: string, signal?: AbortSignal): Promise<Image | undefined> {
    const { alias } = locate(reference, servers);
    const target = fullId.test(alias) ? alias : await targetOf(alias, signal);
    const image = target === undefined ? undefined : await http.find<LxdImage>(`/1.0/images/${target}`, signal);
    return image && toImage(image);
  }

  /**
   * Returns the fingerprint that an alias leads to, or the beginning of one, which LXD completes when it is the only
   * one.
   */
  async function targetOf(alias: string, signal?: AbortSignal): Promise<string | undefined> {
    const { target } = (await http.find<{ target: string }>(aliasPath(alias), signal)) ?? {};
    return target ?? (isIdPrefix(alias) ? alias : undefined);
  }

  async function pull(reference: string, { signal, login, onProgress }: PullOptions): Promise<void> {
    if (login) throw new AppError("unsupported", "Image servers of LXD take no login.");
    if (signal.aborted) throw cancelled();
    const meter = onlyIncreasing(onProgress);
    meter({ percent: -1, text: "Download image" });
    const { alias, server } = locate(reference, servers);
    const options = { signal, onProgress: meter };
    try {
      await download(alias, remoteOf(server), options);
    } catch (error) {
      const own = server === servers.main && isUnreachable(error) ? ownReference(servers, alias) : undefined;
      if (own === undefined) throw error;
      await takeOwn({ reference: own, alias }, options);
    }
    meter({ percent: 100, text: "Download image:100%" });
  }

  /** Downloads an image and gives LXD both files: LXD itself would follow a server to any place. */
  async function download(alias: string, remote: Remote, options: Required<Omit<PullOptions, "login">>): Promise<void> {
    const { signal, onProgress: report } = options;
    const wanted = isIdPrefix(alias) ? { fingerprint: alias } : { alias };
    // Again when it was removed before it had its alias.
    for (;;) {
      const image = await findSplitImage(remote, wanted, signal);
      const { fingerprint } = image;
      if (!(await http.find(`/1.0/images/${fingerprint}`, signal))) {
        await withTemporaryFolder(servers.folder, async (folder) => {
          const files = await fetchSplitImage(remote, image, { folder, signal, report });
          await importImage(operations, { ...files, fingerprint, name: alias }, signal);
        });
      }
      if (isIdPrefix(alias) || (await aliases.give(fingerprint, alias))) return;
    }
  }

  async function remove(reference: string, signal?: AbortSignal): Promise<void> {
    await aliases.take(() => get(reference, signal), locate(reference, servers).alias, signal);
  }

  return { list, get, pull, remove };
}

/** Returns the station's own image that can stand in for an alias; undefined when there is none. */
function ownReference({ systemImages }: ImageServers, alias: string): string | undefined {
  const release = systemImages && debianRelease(parseReference(alias));
  return release && `debian-${release}:latest`;
}

interface OwnDeps {
  http: LxdHttp;
  operations: Operations;
  aliases: ReturnType<typeof createImageAliases>;
  systemImages: SystemImages | undefined;
}

/** Returns what gives LXD one of the station's own images under an alias. */
function createTakeOwn({ http, operations, aliases, systemImages }: OwnDeps) {
  return async function takeOwn({ reference, alias }: { reference: string; alias: string }, options: PullOptions) {
    const onProgress: PullOptions["onProgress"] = (progress) => {
      // LXD has to take it yet.
      if (progress.percent < 100) options.onProgress?.(progress);
    };
    let named = false;
    while (systemImages && !named) {
      await systemImages.pull(reference, { ...options, onProgress });
      const rootfs = await systemImages.rootfs(reference);
      const fingerprint = rootfs && (await importRootfs({ http, operations }, rootfs, options.signal));
      named = fingerprint !== undefined && (await aliases.give(fingerprint, alias));
    }
  };
}

function toImage(image: LxdImage): Image {
  return { id: image.fingerprint, tags: (image.aliases ?? []).map(({ name }) => name), size: image.size };
}

function locate(reference: string, { main, named }: ImageServers): { alias: string; server: string } {
  const colon = reference.indexOf(":");
  const server = colon > 0 ? named[reference.slice(0, colon)] : undefined;
  return server === undefined ? { alias: reference, server: main } : { alias: reference.slice(colon + 1), server };
}

/** Runs the work with a folder that is gone afterwards. Of a killed station the store of system images deletes it. */
async function withTemporaryFolder(parent: string, work: (folder: string) => Promise<void>): Promise<void> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(parent, ".part-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
