import { AppError, hasCode } from "../../errors.ts";
import type { Image, Images, PullOptions } from "../engine.ts";
import { cancelled, pullFailure } from "./failures.ts";
import type { LxdHttp } from "./http.ts";
import type { Operation, Operations } from "./operations.ts";

export interface ImageServers {
  /** Address of the simplestreams server that references without a name are pulled from. */
  main: string;
  /** Others by name: `NAME:alias`. */
  named: Readonly<Record<string, string>>;
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

/** A reference is an alias, as debian/12, or a whole fingerprint; `NAME:` before it says where it is pulled from. */
export function createImages(http: LxdHttp, operations: Operations, servers: ImageServers): Images {
  async function list(signal?: AbortSignal): Promise<Image[]> {
    const images = await http.get<LxdImage[]>("/1.0/images?recursion=1", signal);
    return images.filter(({ type }) => type !== "virtual-machine").map(toImage);
  }

  async function get(reference: string, signal?: AbortSignal): Promise<Image | undefined> {
    const { alias } = locate(reference, servers);
    const target = fullId.test(alias)
      ? alias
      : (await http.find<{ target: string }>(`/1.0/images/aliases/${encodeURIComponent(alias)}`, signal))?.target;
    const image = target === undefined ? undefined : await http.find<LxdImage>(`/1.0/images/${target}`, signal);
    return image && toImage(image);
  }

  async function pull(reference: string, { signal, login, onProgress }: PullOptions): Promise<void> {
    if (login) throw new AppError("unsupported", "Image servers of LXD take no login.");
    const { alias, server } = locate(reference, servers);
    const what = fullId.test(alias) ? { fingerprint: alias } : { alias };
    const body = { source: { type: "image", mode: "pull", protocol: "simplestreams", server, ...what } };
    let shown = -1;
    const report = (percent: number): void => {
      if (percent < shown || (percent === shown && percent >= 0)) return;
      shown = percent;
      onProgress?.({ percent, text: percent < 0 ? "Download image" : `Download image:${percent}%` });
    };
    try {
      const begun = await operations.begin({ method: "POST", path: "/1.0/images", body }, signal);
      report(-1);
      const fingerprint = begun && (await follow(begun, signal, report));
      if (fingerprint !== undefined && !fullId.test(alias)) await name(fingerprint, alias);
    } catch (error) {
      throw pullFailure(error, reference, server);
    }
    report(100);
  }

  /** The alias may be an older image's: that one stays, without it. */
  async function name(fingerprint: string, alias: string): Promise<void> {
    const path = `/1.0/images/aliases/${encodeURIComponent(alias)}`;
    const body = { name: alias, target: fingerprint };
    try {
      await http.send({ method: "POST", path: "/1.0/images/aliases", body });
    } catch (error) {
      if (!hasCode(error, "conflict")) throw error;
      await http.send({ method: "PUT", path, body });
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
    const image = await get(reference, signal);
    if (!image) throw new AppError("not_found", `LXD has no image ${reference}.`);
    const { alias } = locate(reference, servers);
    try {
      if (alias !== image.id && image.tags.some((tag) => tag !== alias)) {
        await http.send({ method: "DELETE", path: `/1.0/images/aliases/${encodeURIComponent(alias)}`, signal });
      } else await operations.run({ method: "DELETE", path: `/1.0/images/${image.id}` }, signal);
    } catch (error) {
      if (hasCode(error, "not_found"))
        throw new AppError("not_found", `LXD has no image ${reference}.`, { cause: error });
      throw error;
    }
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
