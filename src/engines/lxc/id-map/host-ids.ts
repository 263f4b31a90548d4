import { appendFile, open, readFile, rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import { AppError } from "../../../errors.ts";
import { codeOf } from "../failures.ts";
import { type IdRange, idsPerContainer, overlaps } from "./id-range.ts";

/**
 * The host's ids that its LXC containers share out among themselves. They are written down in /etc/subuid and
 * /etc/subgid, so that no other program gives them away, and because `newuidmap`, which LXC calls where it is installed,
 * allows no others. The entry is of the user `0`: `newuidmap` takes it for root's, and LXD, which takes the first entry
 * of `root` for its own containers, passes over it.
 */

/** /etc/subuid and /etc/subgid, or what stands in for them. */
export type IdFiles = readonly [users: string, groups: string];
/** The files in which this host writes down who has which ids; see subuid(5). */
export const idFiles: IdFiles = ["/etc/subuid", "/etc/subgid"];

const owner = "0";
/** LXD takes these where no file gives it others; as a snap it always does. */
const usedByLxd: IdRange = { start: 1_000_000, count: 1_000_000_000 };
/** No program gives away these ids by itself; see "Users, Groups, UIDs and GIDs on systemd Systems". */
const unassigned: IdRange = { start: 1_879_048_192, count: 268_435_456 };
/** Above the ids of people, and below those that some programs read as negative numbers. */
const usable: IdRange = { start: 524_288, count: 2 ** 31 - 524_288 };

/** Returns the ids of this host's LXC containers. The first call on a host chooses them and writes them down. */
export async function ensureHostIds(files: IdFiles = idFiles): Promise<IdRange> {
  const found = await readHostIds(files);
  if (found) return found;
  const release = await lock(files[0]);
  try {
    const already = await readHostIds(files);
    if (already) return already;
    const texts = await Promise.all(files.map(readText));
    const chosen = chooseHostIds(texts);
    for (const [index, file] of files.entries()) {
      const text = texts[index] ?? "";
      const newline = text === "" || text.endsWith("\n") ? "" : "\n";
      await appendFile(file, `${newline}${owner}:${chosen.start}:${chosen.count}\n`);
    }
    return chosen;
  } finally {
    await release();
  }
}

/** Returns ids that no entry of these files has. Throws `engine_failed` when there are too few for one container. */
export function chooseHostIds(texts: readonly string[]): IdRange {
  const taken = [usedByLxd, ...texts.flatMap((text) => entriesOf(text).map(({ range }) => range))];
  const [best] = [largestGap(unassigned, taken), largestGap(usable, taken)].flatMap((gap) => gap ?? []);
  if (best) return best;
  throw new AppError(
    "engine_failed",
    `LXC needs ${idsPerContainer} ids that /etc/subuid and /etc/subgid give to nobody.`,
  );
}

/** Returns the entry that both files have. */
async function readHostIds(files: IdFiles): Promise<IdRange | undefined> {
  const [users = [], groups = []] = await Promise.all(files.map(ownEntries));
  return users.find((range) => groups.some(({ start, count }) => start === range.start && count === range.count));
}

async function ownEntries(file: string): Promise<IdRange[]> {
  const entries = entriesOf(await readText(file));
  return entries.flatMap(({ name, range }) => (name === owner && range.count >= idsPerContainer ? range : []));
}

function entriesOf(text: string): { name: string; range: IdRange }[] {
  return text.split("\n").flatMap((line) => {
    const [, name, start, count] = /^([^:#]+):(\d+):(\d+)\s*$/.exec(line) ?? [];
    return name === undefined ? [] : { name, range: { start: Number(start), count: Number(count) } };
  });
}

/** Returns the largest gap, in whole ranges of containers; undefined when there is no room for one. */
function largestGap(within: IdRange, taken: readonly IdRange[]): IdRange | undefined {
  const end = within.start + within.count;
  const others = taken.filter((range) => overlaps(range, within)).toSorted((a, b) => a.start - b.start);
  const gaps: IdRange[] = [];
  let from = within.start;
  for (const { start, count } of [...others, { start: end, count: 0 }]) {
    const first = Math.ceil(from / idsPerContainer) * idsPerContainer;
    const size = Math.floor((Math.min(start, end) - first) / idsPerContainer) * idsPerContainer;
    if (size > 0) gaps.push({ start: first, count: Math.min(size, unassigned.count) });
    from = Math.max(from, start + count);
  }
  return gaps.toSorted((a, b) => b.count - a.count)[0];
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return "";
    throw error;
  }
}

const pause = 20;
const patience = 5_000;

/** Takes the lock that useradd and usermod take: a file with the number of the process that has it. */
async function lock(file: string): Promise<() => Promise<void>> {
  const place = `${file}.lock`;
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      const handle = await open(place, "wx", 0o600);
      await handle.writeFile(`${process.pid}\0`);
      await handle.close();
      return () => rm(place, { force: true });
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
    if (await isLeftBehind(place)) await rm(place, { force: true });
    else if (performance.now() > deadline) throw new AppError("engine_failed", `Another program holds ${place}.`);
    else await delay(pause);
  }
}

/** Returns whether the process that made the lock has ended. */
async function isLeftBehind(place: string): Promise<boolean> {
  const pid = Number.parseInt(await readText(place), 10);
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
