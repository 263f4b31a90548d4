import { machine } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { readFields, readText } from "./files.ts";

export interface Cpu {
  /** As its maker calls it; "" when nothing says so. */
  model: string;
  cores: number;
  threads: number;
}

const folder = "/sys/devices/system/cpu";

/** Processors that are online now. */
export async function readCpu(): Promise<Cpu> {
  const online = expand(await readText(`${folder}/online`));
  const cores = new Set<string>();
  for (const number of online) {
    const topology = `${folder}/cpu${number}/topology`;
    const core = await readText(`${topology}/core_id`);
    cores.add(core === "" ? `alone ${number}` : `${await readText(`${topology}/physical_package_id`)} ${core}`);
  }
  const info = readFields(await readText("/proc/cpuinfo"));
  const threads = Math.max(online.length, 1);
  return { model: await modelOf(info), cores: Math.max(cores.size, 1), threads };
}

/** ARM's kernel names no model; the board's device tree does. */
async function modelOf(info: ReadonlyMap<string, string>): Promise<string> {
  for (const field of ["model name", "Model", "Hardware", "cpu"]) {
    const value = info.get(field);
    if (value) return value;
  }
  return (await readText("/proc/device-tree/model")).replaceAll("\0", "");
}

/** "0-3,6" */
function expand(list: string): number[] {
  return list.split(",").flatMap((part) => {
    const [from = Number.NaN, to = from] = part.split("-").map(Number);
    return Number.isInteger(from) ? Array.from({ length: to - from + 1 }, (_, index) => from + index) : [];
  });
}

const machines: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  aarch64: "arm64",
  armv7l: "arm",
  armv6l: "arm",
  i686: "386",
  i586: "386",
  ppc64le: "ppc64le",
  riscv64: "riscv64",
  s390x: "s390x",
};

/** In Docker's words, as amd64; "" when it has none. */
export function machineName(): string {
  return machines[machine()] ?? "";
}

interface Times {
  busy: number;
  all: number;
}

const sampleFor = 250;

/** Answers how busy all processors were in the last quarter of a second, 0 to 100. Callers at the same time share it. */
export function createCpuMeter(): () => Promise<number> {
  let measuring: Promise<number> | undefined;
  async function measure(): Promise<number> {
    const before = await readTimes();
    await delay(sampleFor);
    const after = await readTimes();
    const all = after.all - before.all;
    return all > 0 ? Math.min(100, Math.max(0, (100 * (after.busy - before.busy)) / all)) : 0;
  }
  return () => (measuring ??= measure().finally(() => (measuring = undefined)));
}

/** user nice system idle iowait irq softirq steal guest guest_nice, in ticks since the boot; guests are in user already. */
async function readTimes(): Promise<Times> {
  const [line = ""] = (await readText("/proc/stat")).split("\n");
  const times = line.split(/\s+/).slice(1, 9).map(Number);
  const all = times.reduce((sum, time) => sum + time, 0);
  return { all, busy: all - (times[3] ?? 0) - (times[4] ?? 0) };
}
