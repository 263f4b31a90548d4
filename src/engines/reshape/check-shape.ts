import { isIP } from "node:net";

import { invalid } from "../../errors.ts";
import type { Shape } from "../shape.ts";

/** The kernel gives no less than a millisecond in each tenth of a second. */
const leastTime = 10;

/** Throws `invalid`, naming the field, for what can be seen to be wrong without looking at the container. */
export function checkShape({ hostname, cpuTime, memory, size, nameServers }: Shape): void {
  if (hostname !== undefined && !/^(?=.{1,63}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(hostname))
    throw invalid("hostname", "must have letters, digits, dots and dashes, 63 at most.");
  if (cpuTime !== undefined && !(Number.isInteger(cpuTime) && cpuTime >= leastTime))
    throw invalid("cpuTime", `must be ${leastTime} at least.`);
  for (const [field, bytes] of Object.entries({ memory, size }))
    if (bytes !== undefined && !(Number.isSafeInteger(bytes) && bytes > 0)) throw invalid(field, "must be bytes.");
  if (nameServers && (nameServers.length === 0 || nameServers.some((server) => isIP(server) === 0)))
    throw invalid("nameServers", "must be addresses, and one at least.");
}
