import type { Log } from "../util/log.ts";

const span = 10_000;
const linesPerSpan = 20;

/** Writes down who was refused and why; of a flood the first ones and then their number. */
export function createRefusals(log: Log): (address: string, reason: string) => void {
  let begun = 0;
  let lines = 0;
  return function refused(address, reason) {
    const now = performance.now();
    if (now - begun > span) {
      if (lines > linesPerSpan) log("docker gateway: more were refused", { number: lines - linesPerSpan });
      [begun, lines] = [now, 0];
    }
    lines++;
    if (lines <= linesPerSpan) log("docker gateway: refused", { address, reason });
  };
}
