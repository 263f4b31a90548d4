import { AppError } from "../../errors.ts";
import type { Image, Images, PullOptions } from "../engine.ts";
import { forwardOnly } from "../forward-only.ts";
import { debianRelease, isIdPrefix, parseReference } from "../system-images/reference.ts";
import type { SystemImages } from "../system-images/system-images.ts";
import { cancelled, isServerUnreachable, pullFailure } from "./failures.ts";
import type { LxdHttp } from "./http.ts";
import { aliasPath, createImageAliases } from "./image-aliases.ts";
import { importRootfs } from "./import.ts";
import type { Operation, Operations } from "./operations.ts";

export interface ImageServers {
  /** Address of the simplestreams server that references without a name are pulled from. */
  main: string;
  /** Others by name: `NAME:alias`. */
  named: Readonly<Record<string, string>>;
  /** Has a Debian when the main server is not in reach. */
  systemImages?: SystemImages | undefined;
}

interface LxdImage {
  fingerprint: string;
  type: string;
  size: number;
  aliases: { name: string }[] | null;
}

const fullId = /^[0-9a-f]{64}$/;
/** How often the progress of a download is looked at. */
const look = 200;

/**
 * A reference is an alias, as debian/12, or a fingerprint, or 12 and more of its digits; `NAME:` before it says where it
 * is pulled from. A Debian that the main server cannot be asked for is taken from the station's own images.
 */
export function createImages(http: LxdHttp, operations: Operations, servers: ImageServers): Images {
  const aliases = createImageAliases(http, operations);

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

  /** LXD completes what is the beginning of one fingerprint only. */
  async function targetOf(alias: string, signal?: AbortSignal): Promise<string | undefined> {
    const { target } = (await http.find<{ target: string }>(aliasPath(alias), signal)) ?? {};
    return target ?? (isIdPrefix(alias) ? alias : undefined);
  }

  async function pull(reference: string, { signal, login, onProgress }: PullOptions): Promise<void> {
    if (login) throw new AppError("unsupported", "Image servers of LXD take no login.");
    const meter = forwardOnly(onProgress);
    const { alias, server } = locate(reference, servers);
    try {
      await download(alias, server, { signal, onProgress: meter });
    } catch (error) {
      const own = server === servers.main && isServerUnreachable(error) ? ownReference(alias) : undefined;
      if (own === undefined) throw pullFailure(error, reference, server);
      await takeOwn(own, alias, { signal, onProgress: meter });
    }
    meter({ percent: 100, text: "Download image:100%" });
  }

  async function download(alias: string, server: string, { signal, onProgress }: PullOptions): Promise<void> {
    const what = isIdPrefix(alias) ? { fingerprint: alias } : { alias };
    const body = { source: { type: "image", mode: "pull", protocol: "simplestreams", server, ...what } };
    const report = (percent: number): void => onProgress?.({ percent, text: `Download image:${percent}%` });
    let fingerprint: string | undefined;
    // Again when it was removed before it had its alias.
    do {
      const begun = await operations.begin({ method: "POST", path: "/1.0/images", body }, signal);
      onProgress?.({ percent: -1, text: "Download image" });
      fingerprint = begun && (await follow(begun, signal, report));
    } while (fingerprint !== undefined && !isIdPrefix(alias) && !(await aliases.give(fingerprint, alias)));
  }

  function ownReference(alias: string): string | undefined {
    const release = servers.systemImages && debianRelease(parseReference(alias));
    return release && `debian-${release}:latest`;
  }

  async function takeOwn(own: string, alias: string, options: PullOptions): Promise<void> {
    const { systemImages } = servers;
    const onProgress: PullOptions["onProgress"] = (progress) => {
      // LXD has to take it yet.
      if (progress.percent < 100) options.onProgress?.(progress);
    };
    let named = false;
    while (systemImages && !named) {
      await systemImages.pull(own, { ...options, onProgress });
      const rootfs = await systemImages.rootfs(own);
      const fingerprint = rootfs && (await importRootfs({ http, operations }, rootfs, options.signal));
      named = fingerprint !== undefined && (await aliases.give(fingerprint, alias));
    }
  }

  /** Answers the fingerprint. Only a download can be stopped; what is past it is waited for, and stays as a cache. */
  async function follow(
    begun: Operation,
    signal: AbortSignal,
    report: (percent: number) => void,
  ): Promise<string | undefined> {
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    const stop = (): void => resolve(operations.cancel(begun.id));
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    try {
      let operation = begun;
      while (operation.status_code < 200) {
        operation = signal.aborted ? await stopped(operation.id, aborted) : await next(operation.id, aborted);
        const percent = downloaded(operation);
        if (percent !== undefined) report(percent);
      }
      if (signal.aborted) throw cancelled();
      operations.check(operation);
      const { fingerprint } = operation.metadata ?? {};
      return typeof fingerprint === "string" ? fingerprint : undefined;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  async function stopped(id: string, cancelling: Promise<void>): Promise<Operation> {
    await cancelling;
    return operations.wait(id, 20_000);
  }

  /** The operation as it is in a moment, or at its end if that comes first. */
  async function next(id: string, aborted: Promise<void>): Promise<Operation> {
    const { promise: moment, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, look);
    await Promise.race([moment, aborted]);
    clearTimeout(timer);
    return operations.look(id);
  }

  async function remove(reference: string, signal?: AbortSignal): Promise<void> {
    await aliases.take(() => get(reference, signal), locate(reference, servers).alias, signal);
  }

  return { list, get, pull, remove };
}

function toImage(image: LxdImage): Image {
  return { id: image.fingerprint, tags: (image.aliases ?? []).map(({ name }) => name), size: image.size };
}

function locate(reference: string, { main, named }: ImageServers): { alias: string; server: string } {
  const colon = reference.indexOf(":");
  const server = colon > 0 ? named[reference.slice(0, colon)] : undefined;
  return server === undefined ? { alias: reference, server: main } : { alias: reference.slice(colon + 1), server };
}

/** LXD says "rootfs: 42% (1.20MB/s)"; the small metadata, which comes first, counts for nothing. */
function downloaded({ metadata }: Operation): number | undefined {
  const said = metadata?.["download_progress"];
  const percent = typeof said === "string" ? /^(?!metadata).*?(\d{1,3})%/.exec(said)?.[1] : undefined;
  // 100 is for a pull that has ended well.
  return percent === undefined ? undefined : Math.min(99, Number(percent));
}
