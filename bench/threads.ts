import { readdirSync, readFileSync } from "node:fs";

/** Microseconds of a processor that each kind of thread of the station took so far: what else runs here hardly counts. */
export interface ThreadTimes {
  main: number;
  store: number;
  /** Mostly the collection of garbage. */
  other: number;
}

const kinds: Readonly<Record<string, keyof ThreadTimes>> = { MainThread: "main", WorkerThread: "store" };

export function threadTimes(pid: number): ThreadTimes {
  const times: ThreadTimes = { main: 0, store: 0, other: 0 };
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const folder = `/proc/${pid}/task/${thread}`;
    const kind = kinds[readFileSync(`${folder}/comm`, "utf8").trim()] ?? "other";
    times[kind] += Number(readFileSync(`${folder}/schedstat`, "utf8").split(" ")[0]) / 1000;
  }
  return times;
}
