import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { postTasks, type LoadTarget } from "./load.ts";
import { threadTimes } from "./threads.ts";

export interface BareTimes {
  perSecond: number;
  /** Microseconds of the main thread for each request. */
  main: number;
}

const root = join(import.meta.dirname, "..");

/** The same requests against a bare `node:http`, which is as far as any server on Node can come on this machine. */
export async function bareTimes(seconds: number): Promise<BareTimes> {
  const child = spawn("sh", [join(root, "scripts/node.sh"), join(root, "bench/bare-server.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const target: LoadTarget = { url: line.toString().trim(), cookie: "sid=none" };
    await postTasks(target, "create", 2);
    const before = threadTimes(child.pid ?? 0);
    const load = await postTasks(target, "create", seconds);
    const main = (threadTimes(child.pid ?? 0).main - before.main) / load.requests;
    return { perSecond: load.requests / load.seconds, main };
  } finally {
    child.kill();
  }
}
