import { readFile } from "node:fs/promises";
import { readFields, readText } from "./files.ts";

/** All in kB. */
export interface Memory {
  total: number;
  buffers: number;
  /** The page cache, with what of the kernel's own can be given back. */
  cached: number;
  /** Without buffers and cache. */
  used: number;
}

export async function readMemory(): Promise<Memory> {
  const fields = readFields(await readText("/proc/meminfo"));
  const field = (name: string): number => Number.parseInt(fields.get(name) ?? "0", 10);
  const total = field("MemTotal");
  const buffers = field("Buffers");
  const cached = field("Cached") + field("SReclaimable");
  return { total, buffers, cached, used: Math.max(0, total - field("MemFree") - buffers - cached) };
}

const pageSizeKey = 6n;
const usualPage = 4096;

/** Bytes. The kernel tells each process in its auxiliary vector: pairs of 64-bit numbers. */
export async function readPageSize(): Promise<number> {
  const vector = await readFile("/proc/self/auxv").catch(() => Buffer.alloc(0));
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    if (vector.readBigUInt64LE(at) === pageSizeKey) return Number(vector.readBigUInt64LE(at + 8));
  }
  return usualPage;
}
