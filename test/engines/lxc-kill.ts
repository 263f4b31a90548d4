import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** A station's process of its own (lxc-worker.ts) that is killed in the middle of its work, milliseconds after it began. */
export async function killWorker(work: object, wait: number): Promise<void> {
  const script = fileURLToPath(import.meta.resolve("./lxc-worker.ts"));
  const child = spawn(process.execPath, [script, JSON.stringify(work)], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  await once(child.stdout, "data");
  await delay(wait);
  child.kill("SIGKILL");
  await ended;
}
