import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testEngines } from "./engines.ts";

/** Returns what `build` makes. Each name is built once for all runs side by side; other test files read it from a file. */
export function keptInRun(name: string, build: () => Buffer): Buffer {
  const folder = join(testEngines().shared, "kept-in-run");
  const file = join(folder, encodeURIComponent(name));
  if (existsSync(file)) return readFileSync(file);
  const bytes = build();
  mkdirSync(folder, { recursive: true });
  // Whole under its name, also when two test files build it at the same time.
  const part = join(folder, `part-${randomUUID()}`);
  writeFileSync(part, bytes);
  renameSync(part, file);
  return bytes;
}
