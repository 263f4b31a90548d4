import { readFile, truncate, writeFile } from "node:fs/promises";
import path from "node:path";

import { AppError } from "../../errors.ts";
import { runChild } from "../child.ts";
import { plain } from "../plain.ts";
import type { Layout } from "./layout.ts";

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
  const argv = ["env", "-u", "GANTRY_TASK", "lxc-start", "-P", layout.path, "-n", name, "-d"] as const;
  try {
    await runChild(argv, { task: "lxc", signal: AbortSignal.timeout(patience) });
  } catch (error) {
    throw startFailure(name, await readFile(log, "utf8").catch(() => ""), error);
  }
  await writeFile(layout.started(name), "", { flag: "a" }).catch(() => undefined);
}

/** "The container failed to start" says nothing; the log does, in its first line of an error. */
function startFailure(name: string, log: string, error: unknown): AppError {
  const said = error instanceof AppError ? error.message : String(error);
  const line = log.split("\n").find((entry) => / ERROR +(?!af_unix|commands)/.test(entry));
  const reason = line?.split(/\.c:\w+:\d+ - /)[1] ?? said.split("\n")[0] ?? "";
  return new AppError("engine_failed", `LXC cannot start container ${name}: ${plain(reason)}`, { cause: error });
}
