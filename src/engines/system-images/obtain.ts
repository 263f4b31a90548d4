import { AppError } from "../../errors.ts";
import { createMutex } from "../../util/concurrency.ts";
import type { PullOptions } from "../images.ts";
import { architecture } from "./architecture.ts";
import { buildDebian } from "./debian.ts";
import { download } from "./download.ts";
import { isUnreachable } from "./failures.ts";
import { debianRelease, parseReference } from "./reference.ts";
import type { Remote } from "./remote.ts";
import { createSharedWork } from "./shared-work.ts";
import { type Build, findBuild } from "./simplestreams.ts";
import type { Store } from "./store.ts";

interface Deps {
  remote: Remote;
  store: Store;
  /** The task that it belongs to, as STATION/TASK. */
  task: string;
  /** Variables that name proxies. */
  env: Readonly<Record<string, string>>;
}

/** A Debian that was built here is as good as a new one so long, in seconds. */
const buildsLast = 24 * 3600;

/**
 * Returns what brings an image into the store and gives it its tag: downloaded, or, for a Debian that the server cannot be
 * asked for, built. However many want the same image at once, it is obtained once.
 */
export function createObtain({ remote, store, task, env }: Deps) {
  const share = createSharedWork<string>();
  const oneBuild = createMutex();

  return async function obtain(reference: string, options: PullOptions): Promise<void> {
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
  };

  function fetchBuild(build: Build, options: PullOptions): Promise<string> {
    return share(build.id, options, (signal, report) =>
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
    return share(`debian/${release}`, options, (signal, report) =>
      oneBuild(() => store.add((part) => buildDebian({ release, folder: part, task, signal, env, report })), signal),
    );
  }
}

/** Returns when a build was made, in seconds since 1970, by its serial, which begins with the day; 0 = unknown. */
function createdAt(serial: string): number {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)/.exec(serial) ?? [];
  const time = Date.parse(`${year}-${month}-${day}T00:00:00Z`);
  return Number.isNaN(time) ? 0 : time / 1000;
}
