import { readFile } from "node:fs/promises";
import { readFields, readKernelText } from "./kernel-files.ts";

/** Memory of this host in kB (1024 bytes), from `/proc/meminfo`. */
export interface Memory {
  /** Field MemTotal. */
  total: number;
  /** Field Buffers. */
  buffers: number;
  /** Page cache and reclaimable kernel memory: fields Cached and SReclaimable. */
  cached: number;
  /** `total` without free memory, `buffers` and `cached`. */
  used: number;
}

/** Reads `/proc/meminfo`. */
export async function readMemory(): Promise<Memory> {
  const fields = readFields(await readKernelText("/proc/meminfo"));
  const field = (name: string): number => Number.parseInt(fields.get(name) ?? "0", 10);
  const total = field("MemTotal");
  const buffers = field("Buffers");
  const cached = field("Cached") + field("SReclaimable");
  return { total, buffers, cached, used: Math.max(0, total - field("MemFree") - buffers - cached) };
}

/** AT_PAGESZ of getauxval(3). */
const pageSizeKey = 6n;
const defaultPageSize = 4096;

/**
 * Returns the page size in bytes. It stands in this process's auxiliary vector, `/proc/self/auxv`: pairs of a key and a
 * value, both 64-bit numbers.
 */
export async function readPageSize(): Promise<number> {
  const vector = await readFile("/proc/self/auxv").catch(() => Buffer.alloc(0));
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    if (vector.readBigUInt64LE(at) === pageSizeKey) return Number(vector.readBigUInt64LE(at + 8));
  }
  return defaultPageSize;
}
