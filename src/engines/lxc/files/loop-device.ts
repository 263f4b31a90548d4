import { setTimeout as delay } from "node:timers/promises";

import { AppError } from "../../../errors.ts";
import { exists } from "../../../util/exists.ts";
import { runChild } from "../../../util/process/run-child.ts";

const pause = 5;
const patience = 10_000;

/**
 * Returns the loop device (as /dev/loop0) that a file is attached to, as losetup(8) lists it; undefined when it is attached
 * to none, or not there. `task`: as of `runChild`.
 */
export async function loopDevice(image: string, task: string): Promise<string | undefined> {
  if (!(await exists(image))) return undefined;
  const text = await runChild(["losetup", "-n", "-O", "NAME", "-j", image], { task });
  return text
    .trim()
    .split("\n")
    .findLast((name) => name !== "");
}

/** Waits until a file is attached to no loop device. Throws `engine_failed` when that takes more than 10 seconds. */
export async function waitUntilUnmounted(image: string, task: string): Promise<void> {
  const deadline = performance.now() + patience;
  while ((await loopDevice(image, task)) !== undefined) {
    if (performance.now() > deadline)
      throw new AppError("engine_failed", `Something on this host goes on using ${image}.`);
    await delay(pause);
  }
}
