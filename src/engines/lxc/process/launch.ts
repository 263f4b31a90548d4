import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import path from "node:path";

import { AppError } from "../../../errors.ts";
import { runChild } from "../../../util/process/run-child.ts";
import { decodeMountPoint } from "../../../util/mount-point.ts";
import { firstLoggedError } from "../../shared/lxc-log.ts";
import { toSentence } from "../../shared/error-text.ts";
import { readConfig, settingsOf } from "../files/config-file.ts";
import { kernelMapsOwners } from "../id-map/owner-mapping.ts";
import type { Layout } from "../files/layout.ts";

/** LXC itself waits this long for its own steps at most. */
const patience = 60_000;

/**
 * Starts a container that is stopped. Not stopped by a signal: LXC would go on behind it. Resolves when LXC says that it
 * runs; it may have ended by then. Rejects with what LXC's log says.
 */
export async function launch(layout: Layout, name: string): Promise<void> {
  const log = path.join(layout.home(name), "lxc.log");
  // So that its first error is of this start.
  await truncate(log).catch(() => undefined);
  // What LXC leaves running is the container's, and must not end with the station's children: it gets no mark.
  const argv = ["env", "-u", "GANTRY_TASK", ...startOf(layout), name, "-d"] as const;
  try {
    await runChild(argv, { task: "lxc", signal: AbortSignal.timeout(patience) });
  } catch (error) {
    const text = await readFile(log, "utf8").catch(() => "");
    throw (await mountFailure(layout, name, text)) ?? startFailure(name, text, error);
  }
  await writeFile(layout.started(name), "", { flag: "a" }).catch(() => undefined);
}

function startOf(layout: Layout) {
  return ["lxc-start", "-P", layout.path, "-n"] as const;
}

/**
 * Returns the names of containers that `launch` is starting, also when the station that called it has been killed: LXC goes
 * on, and its program ends when the container runs or has failed to start. Read from `/proc/PID/cmdline`.
 */
export async function startsUnderWay(layout: Layout): Promise<Set<string>> {
  const begin = `${startOf(layout).join("\0")}\0`;
  const names = new Set<string>();
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    const at = command.indexOf(begin);
    const name = at === -1 ? undefined : command.slice(at + begin.length).split("\0")[0];
    if (name !== undefined) names.add(name);
  }
  return names;
}

/**
 * Returns the `invalid` for a folder that LXC could not mount with other owners: LXC says neither which one nor what to
 * do.
 */
async function mountFailure(layout: Layout, name: string, log: string): Promise<AppError | undefined> {
  const isShut = /Permission denied - Failed to create detached mount/.test(log);
  if (!isShut && !/Failed to (?:idmap|create) detached mount/.test(log)) return undefined;
  const entries = settingsOf(await readConfig(layout, name), "lxc.mount.entry").map((entry) => entry.split(" "));
  const folders = entries.filter(([, , , options = ""]) => options.includes("idmap=container"));
  for (const [source = "", target = ""] of folders) {
    const reason = isShut
      ? `the folders above ${decodeMountPoint(source)} on the host do not let others pass (chmod o+x)`
      : "its file system on the host cannot be mounted with the owners of a container";
    if (isShut ? log.includes(decodeMountPoint(source)) : !(await kernelMapsOwners(decodeMountPoint(source))))
      return new AppError("invalid", `/${decodeMountPoint(target)} cannot be mounted: ${reason}.`, {
        details: { field: "volume.host" },
      });
  }
  return undefined;
}

/**
 * Returns the `engine_failed` for a failed start. "The container failed to start" says nothing; the log does, in its
 * first line of an error.
 */
function startFailure(name: string, log: string, error: unknown): AppError {
  const said = error instanceof AppError ? error.message : String(error);
  const reason = firstLoggedError(log) ?? said.split("\n")[0] ?? "";
  return new AppError("engine_failed", `LXC cannot start container ${name}: ${toSentence(reason)}`, { cause: error });
}
