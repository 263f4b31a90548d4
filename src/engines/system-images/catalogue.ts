import { AppError, hasCode, messageOf } from "../../errors.ts";
import type { Image, PullOptions } from "../images.ts";
import { onlyIncreasing } from "../shared/increasing-progress.ts";
import { type AddressJudge, defaultJudge } from "./connection-guard.ts";
import { cancelled, isUnreachable } from "./failures.ts";
import { createObtain } from "./obtain.ts";
import { debianRelease, isIdPrefix, parseReference } from "./reference.ts";
import { createRemote } from "./remote.ts";
import { findBuild } from "./simplestreams.ts";
import { createStore, type StoredImage } from "./store.ts";
import type { PullObstacle, Rootfs, SystemImages } from "./system-images.ts";

/** Where images are kept, and where they come from. */
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
  /** Refuses addresses that the station must not connect to; absent: none. */
  judge?: AddressJudge;
}

/**
 * Returns the one store of a folder; the folder is made when it is missing. What a killed station left unfinished in there is
 * gone when it resolves.
 */
export async function createCatalogue(options: CatalogueOptions): Promise<SystemImages> {
  const { folder, server, station, env = {}, hosts = [], judge = defaultJudge } = options;
  const remote = createRemote(server, { env, hosts, judge });
  const store = createStore(folder, station);
  const obtain = createObtain({ remote, store, task: `${station}/0`, env });
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

  async function findPullObstacle(reference: string, signal: AbortSignal): Promise<PullObstacle | undefined> {
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

  async function remove(reference: string, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw cancelled();
    if (!(await store.remove(reference))) {
      throw new AppError("not_found", `The station has no system image ${reference}.`);
    }
  }

  return { list, get, rootfs, findPullObstacle, pull, remove };
}

function toImage({ record, tags }: StoredImage): Image {
  return { id: record.id, tags, size: record.size };
}
