import { readFile, writeFile } from "node:fs/promises";

import { invalid } from "../../../errors.ts";
import type { Shape } from "../../shape.ts";
import { groupOf, tooLittle } from "../../reshape/memory.ts";
import { exists } from "../../../util/exists.ts";
import { codeOf } from "../failures.ts";

/** Limits of what runs, in the files of its control group; of either version. */

type Limits = Pick<Shape, "cpuTime" | "memory">;

const period = 100_000;

/** Sets all of the limits or none, and returns what puts the former ones back. Throws `invalid` naming the field. */
export async function setLimits(pid: number, { cpuTime, memory }: Limits): Promise<() => Promise<void>> {
  const done: Write[] = [];
  const putBack = async (): Promise<void> => {
    for (const { file, before } of done.toReversed()) await write(file, before).catch(() => undefined);
  };
  const wanted = [
    ...(cpuTime === undefined ? [] : await timeFiles(pid, cpuTime)),
    ...(memory === undefined ? [] : await memoryFiles(pid, memory)),
  ];
  for (const { file, text, field } of wanted) {
    const before = (await readFile(file, "utf8")).trim();
    try {
      await write(file, text);
      done.push({ file, before });
    } catch (error) {
      await putBack();
      throw refusal(field, error);
    }
  }
  return putBack;
}

interface Write {
  file: string;
  before: string;
}

interface Wanted {
  file: string;
  text: string;
  field: keyof Limits;
}

async function timeFiles(pid: number, cpuTime: number): Promise<Wanted[]> {
  const group = await groupOf(pid, "cpu");
  const quota = cpuTime * (period / 1000);
  const field = "cpuTime" as const;
  if (group.unified) return [{ file: `${group.folder}/cpu.max`, text: `${quota} ${period}`, field }];
  return [
    { file: `${group.folder}/cpu.cfs_period_us`, text: String(period), field },
    { file: `${group.folder}/cpu.cfs_quota_us`, text: String(quota), field },
  ];
}

/**
 * Returns what is written for a limit of memory: as much swap as memory, as at create. In version 1 the limit of both
 * together must never be the smaller one.
 */
async function memoryFiles(pid: number, memory: number): Promise<Wanted[]> {
  const { folder, unified } = await groupOf(pid, "memory");
  const field = "memory" as const;
  const [own, swap] = unified
    ? [`${folder}/memory.max`, `${folder}/memory.swap.max`]
    : [`${folder}/memory.limit_in_bytes`, `${folder}/memory.memsw.limit_in_bytes`];
  const all = [{ file: own, text: String(memory), field }];
  if (!(await exists(swap))) return all;
  const withSwap = { file: swap, text: String(unified ? memory : memory * 2), field };
  const present = Number(await readFile(own, "utf8"));
  return !unified && memory > present ? [withSwap, ...all] : [...all, withSwap];
}

async function write(file: string, text: string): Promise<void> {
  await writeFile(file, text, { flag: "r+" });
}

function refusal(field: keyof Limits, cause: unknown): unknown {
  const code = codeOf(cause);
  if (!["EBUSY", "EINVAL", "ERANGE", "ENOSPC"].includes(code)) return cause;
  return field === "memory" ? tooLittle("the kernel says so") : invalid(field, "is refused by this host's kernel.");
}
