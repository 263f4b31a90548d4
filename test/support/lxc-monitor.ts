import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { run } from "../engines/commands.ts";

/**
 * LXC's process that watches over a running container. Found as the parent of the container's first process: by its
 * title alone it may be the one of an earlier start, which is still clearing away.
 */
export async function lxcMonitor(path: string, name: string): Promise<number> {
  const init = Number(await run("lxc-info", "-P", path, "-n", name, "-pH"));
  const parent = Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${init}/status`, "utf8"))?.[1]);
  const title = readFileSync(`/proc/${parent}/cmdline`, "latin1").replaceAll("\0", " ").trim();
  assert.equal(title, `[lxc monitor] ${path} ${name}`);
  return parent;
}
