import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { createCatalogue } from "../../src/engines/system-images/catalogue.ts";
import type { SystemImages } from "../../src/engines/system-images/system-images.ts";
import { testEngines } from "./engines.ts";

const execute = promisify(execFile);

/** Nothing listens there. */
export const nowhere = "http://127.0.0.1:9";
export const debian = "debian-bookworm:latest";
const station = "0b2ac2b4-4f0c-4f5e-9d43-2b5a3d1f7a60";

/** Returns a catalogue that has `debian`, built on this host once in a run (it takes half a minute); its server is not in reach. */
export async function debianImages(): Promise<SystemImages> {
  // One at a time, also of the runs beside this one: the first builds it, and those that waited copy it.
  await execute("flock", [
    join(testEngines().shared, "debian.lock"),
    process.execPath,
    import.meta.filename,
    ownFolder(),
  ]);
  return createCatalogue({ folder: ownFolder(), server: nowhere, station });
}

/** Builds `debian` for all runs side by side unless it is there, and copies it into the folder unless that is there. */
async function buildDebian(folder: string): Promise<void> {
  const built = join(testEngines().shared, "debian");
  const images = await createCatalogue({ folder: built, server: nowhere, station, env: proxies() });
  await images.pull(debian, { signal: AbortSignal.timeout(540_000) });
  if (!existsSync(folder)) execFileSync("cp", ["-a", "--", built, folder]);
}

/** Puts what `debianImages` has into a folder of images that does not exist yet, as a station has it in its data. */
export async function copyDebianImages(folder: string): Promise<void> {
  await debianImages();
  // Archives are never changed.
  execFileSync("cp", ["-al", "--", ownFolder(), folder]);
}

/** For programs that fetch packages, where a machine needs them. */
export function proxies(): Record<string, string> {
  const names = Object.keys(process.env).filter((name) => /^(?:https?|no|all)_proxy$/i.test(name));
  return Object.fromEntries(names.map((name) => [name, process.env[name] ?? ""]));
}

function ownFolder(): string {
  return join(testEngines().folder, "system-images");
}

if (import.meta.main) await buildDebian(process.argv[2] ?? "");
