import { AppError, hasCode, messageOf } from "../../errors.ts";
import { createMutex } from "../../util/concurrency.ts";
import type { Image, PullOptions } from "../engine.ts";
import { onlyIncreasing } from "../shared/increasing-progress.ts";
import { architecture } from "./architecture.ts";
import { buildDebian } from "./debian.ts";
import { type AddressJudge, plainJudge } from "./connection-guard.ts";
import { download } from "./download.ts";
import { cancelled, isUnreachable } from "./failures.ts";
import { createSharedWork } from "./shared-work.ts";
import { debianRelease, isIdPrefix, parseReference } from "./reference.ts";
import { createRemote } from "./remote.ts";
import { type Build, findBuild } from "./simplestreams.ts";
import { createStore, type StoredImage } from "./store.ts";
import type { Lack, Rootfs, SystemImages } from "./system-images.ts";

export interface CatalogueOptions {
  /** Where the images are kept; made when missing. */
  folder: string;
  /** Address of the simplestreams server. */
  server: string;
  /** The station's own id. */
  station: string;
  /** Variables that name proxies. */
  env?: Readonly<Record<string, string>>;
  /** Hosts beside the server's own that it may send on to, as HOST or HOST:PORT. */
  hosts?: readonly string[];
  judge?: AddressJudge;
}

/** A Debian that was built here is as good as a new one so long, in seconds. */
const buildsLast = 24 * 3600;

/** The one store of a folder. What a killed station left unfinished in there is gone when it resolves. */
export async function createCatalogue(options: CatalogueOptions): Promise<SystemImages> {
  const { folder, server, station, env = {}, hosts = [], judge = plainJudge } = options;
  const task = `${station}/0`;
  const remote = createRemote(server, { env, hosts, judge });
  const store = createStore(folder, station);
  const flights = createSharedWork<string>();
  const oneBuild = createMutex();
  await store.recover();

  async function list(signal?: AbortSignal): Promise<Image[]> {
    if (signal?.aborted) throw cancelled();
    return (await store.list()).map(toImage);
  }

  async function get(reference: string, signal?: AbortSignal): Promise<Image | undefined> {
    if (signal?.aborted) throw cancelled();
    const image = await store.find(reference);
    return image && toImage(image);
  }

  async function rootfs(reference: string): Promise<Rootfs | undefined> {
    const image = await store.find(reference);
    if (!image) return undefined;
    const { id, architecture: machine, description, created } = image.record;
    return { id, archive: image.archive, architecture: machine, description, created };
  }

  async function pull(reference: string, { signal, login, onProgress }: PullOptions): Promise<void> {
    if (login) throw new AppError("unsupported", "Image servers of system images take no login.");
    if (signal.aborted) throw cancelled();
    const meter = onlyIncreasing(onProgress);
    meter({ percent: -1, text: "Download image" });
    const one = { signal, onProgress: meter };
    if (!(isIdPrefix(reference) && (await store.find(reference)))) await obtain(reference, one);
    meter({ percent: 100, text: "Download image:100%" });
  }

  async function lacks(reference: string, signal: AbortSignal): Promise<Lack | undefined> {
    const wanted = parseReference(reference);
    try {
      await findBuild(remote, wanted, signal);
    } catch (error) {
      const unreachable = isUnreachable(error);
      if (unreachable ? debianRelease(wanted) === undefined : hasCode(error, "not_found"))
        return { reason: messageOf(error), unreachable };
    }
    return undefined;
  }

  async function obtain(reference: string, options: PullOptions): Promise<void> {
    const wanted = parseReference(reference);
    let build: Build;
    try {
      build = await findBuild(remote, wanted, options.signal);
    } catch (error) {
      const release = debianRelease(wanted);
      if (release === undefined || !isUnreachable(error)) throw error;
      return obtainDebian(reference, release, { ...options, unreachable: error });
    }
    // Again when it was removed before it had its tag.
    while (!(await store.tag(build.id, reference))) await fetchBuild(build, options);
  }

  function fetchBuild(build: Build, options: PullOptions): Promise<string> {
    return flights(build.id, options, (signal, report) =>
      store.add(async (part) => {
        await download({ remote, build, folder: part, task, signal, report });
        const { id, description, serial } = build;
        return { id, description, serial, architecture: architecture.machine, created: createdAt(serial) };
      }),
    );
  }

  async function obtainDebian(
    reference: string,
    release: string,
    options: PullOptions & { unreachable: AppError },
  ): Promise<void> {
    const recent = await store.find(reference);
    const age = recent ? Date.now() / 1000 - recent.record.created : Number.NaN;
    // After the clock was set back nobody knows how old a build is that seems to come from the future.
    if (recent?.record.serial === "" && age >= 0 && age < buildsLast) return;
    const { unreachable, signal } = options;
    try {
      let id: string;
      do id = await buildOnce(release, options);
      while (!(await store.tag(id, reference)));
    } catch (error) {
      if (signal.aborted || !(error instanceof AppError) || error.code !== "remote_failed") throw error;
      throw new AppError("remote_failed", `${unreachable.message} ${error.message}`, { cause: error });
    }
  }

  function buildOnce(release: string, options: PullOptions): Promise<string> {
    return flights(`debian/${release}`, options, (signal, report) =>
      oneBuild(() => store.add((part) => buildDebian({ release, folder: part, task, signal, env, report })), signal),
    );
  }

  async function remove(reference: string, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw cancelled();
    if (!(await store.remove(reference))) {
      throw new AppError("not_found", `The station has no system image ${reference}.`);
    }
  }

  return { list, get, rootfs, lacks, pull, remove };
}

function toImage({ record, tags }: StoredImage): Image {
  return { id: record.id, tags, size: record.size };
}

/** Serials begin with the day. */
function createdAt(serial: string): number {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)/.exec(serial) ?? [];
  const time = Date.parse(`${year}-${month}-${day}T00:00:00Z`);
  return Number.isNaN(time) ? 0 : time / 1000;
}
