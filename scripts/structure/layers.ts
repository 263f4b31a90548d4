/** What every driver of an engine may import. Drivers know nothing of each other. */
const ofDrivers = ["engines/*", "engines/network", "engines/processes", "engines/shared"];

/**
 * What each folder of `src` may import. The linter's rules (lint-layers.ts) and `npm run structure` are made of this list.
 *
 * - `storage` is a folder with all below it, `engines/*` are the files of a folder without the folders in it, and
 *   `services/contract/services.ts` is one file.
 * - `errors.ts` and `util` are open to all but `api`. A folder may import from itself.
 * - A folder that is not named here may import nothing, and nobody may import it. Where a folder in a folder is named, as
 *   `engines/docker`, all folders beside it must be named too.
 */
export const layers: Readonly<Record<string, readonly string[]>> = {
  api: [],
  util: [],
  certificates: [],
  config: ["engines/*"],
  host: [],
  engines: [],
  "engines/processes": ["engines/*"],
  "engines/network": ["engines/*", "engines/processes"],
  "engines/shared": ["engines/*", "engines/network", "engines/processes"],
  "engines/reshape": ["engines/*", "engines/network", "engines/processes"],
  "engines/system-images": ["engines/*", "engines/processes", "engines/shared"],
  "engines/docker": [...ofDrivers],
  "engines/fake": [...ofDrivers],
  "engines/lxc": [...ofDrivers, "engines/reshape", "engines/system-images"],
  "engines/lxd": [...ofDrivers, "engines/reshape", "engines/system-images"],
  numbers: [],
  storage: [],
  shares: [],
  gateway: ["certificates"],
  tasks: ["storage"],
  inventory: ["engines/*"],
  forwarding: ["engines/*", "engines/processes"],
  services: [
    "api",
    "certificates",
    "engines/*",
    "engines/network",
    "engines/shared",
    "forwarding",
    "host",
    "inventory",
    "numbers",
    "shares",
    "storage",
    "tasks",
  ],
  http: ["api", "services/contract/services.ts"],
  setup: ["config"],
};

/** Packages that a folder may import, where it may not import every one. `api` runs in browsers too. */
export const packages: Readonly<Record<string, readonly string[]>> = { api: ["typebox"] };

/** What every folder may import, but for those of `withoutCommon`. */
const common = ["errors.ts", "util"];
const withoutCommon = new Set(["api"]);

/** Returns what a folder of the list may import from other folders. */
export function allowedFor(folder: string): readonly string[] {
  return withoutCommon.has(folder) ? [] : [...(layers[folder] ?? []), ...common.filter((name) => name !== folder)];
}

/** Returns whether folders in this folder are named in the list. */
export function hasNamedFolders(folder: string): boolean {
  return Object.keys(layers).some((name) => name.startsWith(`${folder}/`));
}

/** Returns the folder of the list that a folder of `src` belongs to. `undefined`: it must be added to the list first. */
export function layerOf(folder: string): string | undefined {
  const parts = folder.split("/");
  const [outer = ""] = parts;
  const layer = hasNamedFolders(outer) ? parts.slice(0, 2).join("/") : outer;
  return Object.hasOwn(layers, layer) ? layer : undefined;
}
