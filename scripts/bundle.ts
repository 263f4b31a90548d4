import { build } from "esbuild";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

// node scripts/bundle.ts FOLDER: writes the station's source and its packages into a few files, FOLDER/main.js and worker.js
// among them. Several may do it at the same time: the folder is there whole or not at all.

const root = join(import.meta.dirname, "..");
const folder = process.argv[2] ?? "";
const builds = dirname(folder);
/** Milliseconds after which a bundle of other source is deleted. Nothing reads a bundle after its start. */
const outdated = 24 * 3600_000;

mkdirSync(builds, { recursive: true });
const unfinished = mkdtempSync(join(builds, "unfinished-"));
try {
  await build({
    entryPoints: [join(root, "src/main.ts"), join(root, "src/storage/sqlite/worker.ts")],
    entryNames: "[name]",
    outdir: unfinished,
    bundle: true,
    splitting: true,
    platform: "node",
    target: "node24",
    format: "esm",
    // Loaded from node_modules, when they are needed at all.
    external: ["@fastify/swagger", "ajv"],
    // What packages of the older form call for Node's own modules.
    banner: { js: 'const require = process.getBuiltinModule("node:module").createRequire(import.meta.url);' },
    logLevel: "warning",
  });
  // Another one may have been faster.
  if (!existsSync(folder)) renameSync(unfinished, folder);
} catch (error) {
  if (!existsSync(folder)) throw error;
} finally {
  rmSync(unfinished, { recursive: true, force: true });
}
for (const name of readdirSync(builds)) {
  const old = Date.now() - statSync(join(builds, name)).mtimeMs > outdated;
  if (old && name !== basename(folder)) rmSync(join(builds, name), { recursive: true, force: true });
}
