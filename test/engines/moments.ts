import { setTimeout as sleep } from "node:timers/promises";

/** When something is killed: milliseconds after it began, or as soon as this is so. */
export type Moment = number | (() => boolean | Promise<boolean>);

const patience = 60_000;

/** Resolves at the moment, or when it can no longer come because what was begun is over. */
export async function reach(moment: Moment, isOver: () => boolean): Promise<void> {
  if (typeof moment === "number") return sleep(moment);
  for (const end = Date.now() + patience; !isOver() && !(await moment());) {
    if (Date.now() > end) throw new Error("the moment did not come");
    await sleep(1);
  }
}

/**
 * Tries each moment, and then the last one again until `attempt` says that it caught what it was to catch: how long a step
 * takes is up to the machine. Throws when it is never caught.
 */
export async function untilCaught(
  moments: readonly Moment[],
  attempt: (moment: Moment) => Promise<boolean>,
): Promise<void> {
  let caught = false;
  for (const moment of moments) caught = (await attempt(moment)) || caught;
  const last = moments.at(-1) ?? 0;
  for (let more = 0; !caught && more < 20; more++) caught = await attempt(last);
  if (!caught) throw new Error("nothing was caught in its middle");
}
