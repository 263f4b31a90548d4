import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

// npm leaves optional packages out of the lock file when its registry does not have them, as mirrors lack builds for
// other platforms; npm ci then refuses the file wherever they exist. `npm run lock` adds what is missing: name, version
// and platform. `npm run check` calls this with --check.

interface Entry {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  engines?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  [key: string]: unknown;
}

interface Lock {
  packages: Record<string, Entry>;
}

const systems = ["android", "darwin", "freebsd", "linux", "openharmony", "openbsd", "netbsd", "sunos", "aix", "win32"];
const cpus = ["arm64", "arm", "x64", "ia32", "ppc64", "riscv64", "s390x", "loong64", "mips64el", "wasm32"];

const path = join(import.meta.dirname, "../package-lock.json");
const lock = JSON.parse(readFileSync(path, "utf8")) as Lock;
const entries = Object.entries(lock.packages);
const missing = entries.flatMap(([parent, entry]) => missingOf(parent, entry));
const picky = entries.filter(([, { optional, engines, libc }]) => optional && (engines || libc?.includes("glibc")));

if (missing.length + picky.length === 0) {
  console.log("package-lock.json is complete.");
} else if (process.argv.includes("--check")) {
  console.error(
    `package-lock.json: ${missing.length} packages are missing, ${picky.length} would be skipped; run npm run lock.`,
  );
  process.exitCode = 1;
} else {
  for (const [, entry] of picky) {
    delete entry.engines;
    if (entry.libc?.includes("glibc")) delete entry.libc;
  }
  const sorted = [...entries, ...missing].sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
  console.log(`package-lock.json: added ${missing.length} packages, freed ${picky.length}.`);
}

function missingOf(parent: string, { dev, optionalDependencies = {} }: Entry): [string, Entry][] {
  return Object.entries(optionalDependencies)
    .filter(([name]) => !isLocked(parent, name))
    .map(([name, version]) => {
      const entry: Entry = {
        version: exact(name, version),
        ...platform(name),
        ...(dev ? { dev } : {}),
        optional: true,
      };
      return [`node_modules/${name}`, entry];
    });
}

/** Beside the parent or above it, as Node looks it up. */
function isLocked(parent: string, name: string): boolean {
  for (let folder = parent; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))) {
    if (lock.packages[`${folder}${folder ? "/" : ""}node_modules/${name}`]) return true;
    if (folder === "") return false;
  }
}

function exact(name: string, version: string): string {
  if (/^\d+\.\d+\.\d+\S*$/.test(version)) return version;
  throw new Error(`${name} is wanted as ${version}: only an exact version can be added without asking the registry.`);
}

/** These packages are named by their platform. */
function platform(name: string): Pick<Entry, "os" | "cpu" | "libc"> {
  const words = (name.split("/")[1] ?? name).split("-");
  const os = systems.filter((system) => words.includes(system));
  const cpu = cpus.filter((one) => words.includes(one));
  const libc = words.some((word) => word.startsWith("musl")) ? ["musl"] : [];
  if (os.length === 0 && cpu.length === 0) throw new Error(`The name of ${name} does not say its platform.`);
  return { ...(os.length ? { os } : {}), ...(cpu.length ? { cpu } : {}), ...(libc.length ? { libc } : {}) };
}
