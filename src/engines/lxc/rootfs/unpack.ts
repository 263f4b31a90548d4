import { open } from "node:fs/promises";

import { runChild, wasKilled } from "../../../util/process/run-child.ts";
import { cancelled, unavailable } from "../failures.ts";
import type { IdRange } from "../id-map/id-range.ts";

/** What is unpacked, and how. */
export interface Unpacking {
  /** A tar, compressed by zstd. */
  archive: string;
  /** An empty folder. */
  root: string;
  /** The task that it belongs to, as STATION/TASK. */
  task: string;
  /** Owners on the disk are these ids instead of 0 and up, and device nodes are left out. */
  shiftedTo?: IdRange | undefined;
  /** Stops it; it throws `cancelled` then. */
  signal?: AbortSignal | undefined;
}

/**
 * Unpacks an archive. All but sparse files come out as they were: owners by number, modes, capabilities and other
 * attributes. Throws `cancelled`; `engine_unavailable` when a program was ended by somebody else.
 */
export async function unpack({ archive, root, task, shiftedTo, signal }: Unpacking): Promise<void> {
  const all = ["--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls", "-p"];
  try {
    if (!shiftedTo) await runChild(["tar", "-C", root, ...all, "-I", "zstd", "-xf", archive], { task, signal });
    else await unpackShifted(shiftedTo, ["tar", ...all, ...withoutDevices, "-I", "zstd", "-x"]);
  } catch (error) {
    if (signal?.aborted) throw cancelled(error);
    // As an engine that crashed: whoever asked tries again.
    throw wasKilled(error) ? unavailable("a program of it was ended", error) : error;
  }

  /**
   * Unpacks in a user namespace, whose root cannot pass through the host's folders: tar begins in the root and reads
   * from an open file.
   */
  async function unpackShifted({ start, count }: IdRange, tar: readonly string[]): Promise<void> {
    const maps = ["u", "g"].flatMap((kind) => ["-m", `${kind}:0:${start}:${count}`]);
    await runChild(["chown", `${start}:${start}`, "--", root], { task, signal });
    const file = await open(archive, "r");
    try {
      await runChild(["lxc-usernsexec", ...maps, "--", ...tar], { task, signal, cwd: root, inputFile: file.fd });
    } finally {
      await file.close();
    }
  }
}

/** A user namespace makes none; LXC gives a container its own. */
const withoutDevices = ["--exclude=dev/*", "--exclude=./dev/*"];
