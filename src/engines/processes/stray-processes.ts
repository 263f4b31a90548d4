import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

const pause = 20;
const patience = 5_000;

/**
 * Ends what a killed station's children left running: every process that has GANTRY_TASK of this station in its
 * environment. Resolves when they are gone, or cannot be ended (a process in uninterruptible sleep).
 */
export async function killStrayProcesses(station: string): Promise<number> {
  const mark = `GANTRY_TASK=${station}/`;
  const deadline = performance.now() + patience;
  const killed = new Set<string>();
  for (;;) {
    const strays = await marked(mark);
    for (const pid of strays) {
      killed.add(pid);
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {
        // It ended meanwhile.
      }
    }
    if (strays.length === 0 || performance.now() > deadline) return killed.size;
    await delay(pause);
  }
}

async function marked(mark: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const found: string[] = [];
  for (const pid of pids) {
    // A zombie has no environment any more, and what has gone cannot be read.
    const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
    if (environment.split("\0").some((entry) => entry.startsWith(mark))) found.push(pid);
  }
  return found;
}
