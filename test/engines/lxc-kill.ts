import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Moment, reach } from "./moments.ts";

/** Kills a station's process of its own (lxc-worker.ts) in the middle of its work, at a moment after that began. */
export async function killWorker(work: object, moment: Moment): Promise<void> {
  const script = fileURLToPath(import.meta.resolve("./lxc-worker.ts"));
  const child = spawn(process.execPath, [script, JSON.stringify(work)], { stdio: ["ignore", "pipe", "inherit"] });
  // Not at its exit: a child that it was just making still has its output, and runs something else after that.
  const closed = once(child, "close");
  await once(child.stdout, "data");
  await reach(moment, () => child.exitCode !== null);
  child.kill("SIGKILL");
  await closed;
}
