import type { Log } from "../util/log.ts";

const period = 10_000;
const linesPerPeriod = 20;

/** Returns a function that logs a refused connection. Beyond 20 in 10 s it only counts them and logs their number later. */
export function createRefusalLog(log: Log): (address: string, reason: string) => void {
  let startedAt = 0;
  let lines = 0;
  return function logRefusal(address, reason) {
    const now = performance.now();
    if (now - startedAt > period) {
      if (lines > linesPerPeriod) log.warn("docker gateway: more were refused", { number: lines - linesPerPeriod });
      [startedAt, lines] = [now, 0];
    }
    lines++;
    if (lines <= linesPerPeriod) log.warn("docker gateway: refused", { address, reason });
  };
}
