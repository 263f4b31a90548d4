import { machine } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { readFields, readKernelText } from "./kernel-files.ts";

export interface Cpu {
  /** The model as its maker calls it; "" if neither `/proc/cpuinfo` nor the device tree names it. */
  model: string;
  /** Number of physical cores that are online, at least 1. From `core_id` and `physical_package_id` in sysfs. */
  cores: number;
  /** Number of logical processors that are online, at least 1. From `/sys/devices/system/cpu/online`. */
  threads: number;
}

const folder = "/sys/devices/system/cpu";

/** Reads which processors are online now. */
export async function readCpu(): Promise<Cpu> {
  const online = parseCpuList(await readKernelText(`${folder}/online`));
  const cores = new Set<string>();
  for (const number of online) {
    const topology = `${folder}/cpu${number}/topology`;
    const core = await readKernelText(`${topology}/core_id`);
    cores.add(core === "" ? `alone ${number}` : `${await readKernelText(`${topology}/physical_package_id`)} ${core}`);
  }
  const info = readFields(await readKernelText("/proc/cpuinfo"));
  const threads = Math.max(online.length, 1);
  return { model: await readModel(info), cores: Math.max(cores.size, 1), threads };
}

/** Returns the processor's model. On ARM `/proc/cpuinfo` may lack it; then the device tree names the board. */
async function readModel(info: ReadonlyMap<string, string>): Promise<string> {
  for (const field of ["model name", "Model", "Hardware", "cpu"]) {
    const value = info.get(field);
    if (value) return value;
  }
  return (await readKernelText("/proc/device-tree/model")).replaceAll("\0", "");
}

/** Parses the kernel's list format: "0-3,6" gives 0, 1, 2, 3, 6. */
function parseCpuList(list: string): number[] {
  return list.split(",").flatMap((part) => {
    const [from = Number.NaN, to = from] = part.split("-").map(Number);
    return Number.isInteger(from) ? Array.from({ length: to - from + 1 }, (_, index) => from + index) : [];
  });
}

/** Names of machines in uname(2) and in Docker. */
const architectures: Readonly<Record<string, string>> = {
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

/** Returns this host's architecture by its name in Docker, such as `amd64`, or "" if Docker has no name for it. */
export function architecture(): string {
  return architectures[machine()] ?? "";
}

/** Clock ticks since the boot, summed over all processors. */
interface Times {
  busy: number;
  all: number;
}

/** Milliseconds between two samples. */
const samplePeriod = 1000;
/** Milliseconds that a measurement spans at least. */
const minimumSpan = 250;

/**
 * Returns a function that tells how busy all processors were in about the last second, in percent (0 to 100). Samples are
 * taken all the time, so that callers do not wait for them.
 */
export function createCpuMeter(): () => Promise<number> {
  let [earlier, last]: [Sample, Sample] = [noSample, noSample];
  async function sample(): Promise<void> {
    [earlier, last] = [last, { times: await readTimes(), at: performance.now() }];
  }
  const first = sample();
  setInterval(() => void sample().catch(() => undefined), samplePeriod).unref();

  return async () => {
    await first;
    let now = await readTimes();
    // Right after the start there is only one sample, which is too recent.
    if (earlier === noSample && performance.now() - last.at < minimumSpan) {
      await delay(minimumSpan);
      now = await readTimes();
    }
    const since = performance.now() - last.at < minimumSpan ? earlier : last;
    const all = now.all - since.times.all;
    return all > 0 ? Math.min(100, Math.max(0, (100 * (now.busy - since.times.busy)) / all)) : 0;
  };
}

interface Sample {
  /** The counters at that time. */
  times: Times;
  /** Milliseconds of a monotonic clock. */
  at: number;
}

const noSample: Sample = { times: { busy: 0, all: 0 }, at: 0 };

/**
 * Reads the first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice. The last
 * two are skipped, because user and nice include them.
 */
async function readTimes(): Promise<Times> {
  const [line = ""] = (await readKernelText("/proc/stat")).split("\n");
  const times = line.split(/\s+/).slice(1, 9).map(Number);
  const all = times.reduce((sum, time) => sum + time, 0);
  return { all, busy: all - (times[3] ?? 0) - (times[4] ?? 0) };
}
