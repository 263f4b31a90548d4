import { readFile, writeFile } from "node:fs/promises";

import { AppError, invalid } from "../../errors.ts";
import type { Shape } from "../shape.ts";
import { exists } from "./exists.ts";
import { codeOf } from "./failures.ts";
import { ownGroups } from "./init-process.ts";

/** Limits of what runs, in the files of its control group; of either version. */

type Limits = Pick<Shape, "cpuTime" | "memory">;

const period = 100_000;

/** Throws `invalid`, field `memory`, when what is in use and cannot be given back is more. */
export async function checkMemory(pid: number, memory: number): Promise<void> {
  const inUse = await heldMemory(pid);
  if (inUse > memory) throw tooLittle(`${inUse} bytes are in use`);
}

/** All of them or none. Answers what puts the former ones back. */
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

/** As much swap as memory, as at create. Of version 1 the sum of both must never be the smaller one. */
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

/** Pages of files can be read again; what is in a file system in memory cannot. */
async function heldMemory(pid: number): Promise<number> {
  const { folder, unified } = await groupOf(pid, "memory");
  const [usage, stat] = await Promise.all(
    [unified ? "memory.current" : "memory.usage_in_bytes", "memory.stat"].map((file) =>
      readFile(`${folder}/${file}`, "utf8"),
    ),
  );
  const count = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(stat ?? "")?.[1] ?? 0);
  const prefix = unified ? "" : "total_";
  return Number(usage) - count(`${prefix}active_file`) - count(`${prefix}inactive_file`);
}

async function groupOf(pid: number, controller: string): Promise<{ folder: string; unified: boolean }> {
  const groups = await ownGroups(pid);
  const own = groups.find(({ controllers }) => controllers.includes(controller));
  if (own) return { folder: `/sys/fs/cgroup/${controller}${own.group}`, unified: false };
  const unified = groups.find(({ controllers }) => controllers.length === 0);
  if (unified) return { folder: `/sys/fs/cgroup${unified.group}`, unified: true };
  throw new AppError("engine_failed", "This host's kernel has no control group for the container.");
}

async function write(file: string, text: string): Promise<void> {
  await writeFile(file, text, { flag: "r+" });
}

function refusal(field: keyof Limits, cause: unknown): unknown {
  const code = codeOf(cause);
  if (!["EBUSY", "EINVAL", "ERANGE", "ENOSPC"].includes(code)) return cause;
  return field === "memory" ? tooLittle("the kernel says so") : invalid(field, "is refused by this host's kernel.");
}

function tooLittle(reason: string): AppError {
  return invalid("memory", `is below what the container uses: ${reason}.`);
}
