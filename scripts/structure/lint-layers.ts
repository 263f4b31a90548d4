import { allowedFor, hasNamedFolders, layers, packages } from "./layers.ts";

/** Folders in folders that the rules reach: src/engines/lxc/id-map is three deep. */
const deepest = 5;

/** One entry of the linter's `overrides`. */
export interface LintOverride {
  /** Globs of the files that it is for. */
  files: string[];
  /** The rules for them. */
  rules: { "no-restricted-imports": ["error", { patterns: { group: string[]; message: string }[] }] };
}

/**
 * Returns the linter's rules for imports. The linter sees an import as it is written, so there is one rule for each folder
 * and depth: at `src/http/routes/a.ts` the path `../../` leads out of `http`. Of two rules for one file the later counts.
 */
export function layerOverrides(): LintOverride[] {
  const unnamed = "A folder may import nothing until it is in scripts/structure/layers.ts.";
  const ofUnnamed = [
    "*",
    ...Object.keys(layers)
      .filter(hasNamedFolders)
      .map((folder) => `${folder}/*`),
  ];
  return [
    ...ofUnnamed.flatMap((folder) => overridesOf(folder, () => [], unnamed)),
    ...Object.keys(layers).flatMap((folder) => {
      const allowed = allowedFor(folder);
      const names = [...(packages[folder] ?? []), ...allowed].join(", ") || "nothing";
      const message = `${folder} may import ${names} only: see scripts/structure/layers.ts.`;
      return overridesOf(folder, (ups) => specifiers(folder, allowed, ups), message);
    }),
  ];
}

/** `allowedAt` returns what may be imported from a file that is so many folders below `src`. */
function overridesOf(folder: string, allowedAt: (depth: number) => string[], message: string): LintOverride[] {
  const own = folder.split("/").length;
  // Only the folder itself, and not those in it, which have rules of their own.
  const last = hasNamedFolders(folder) ? own : deepest;
  return Array.from({ length: last - own + 1 }, (_, below) => {
    const group = [
      ...onlyPackages(folder, below),
      `${"../".repeat(below + 1)}**`,
      ...allowedAt(own + below).map((specifier) => `!${specifier}`),
    ];
    return {
      files: [`src/${folder}${"/*".repeat(below)}/*.ts`],
      rules: { "no-restricted-imports": ["error", { patterns: [{ group, message }] }] },
    };
  });
}

/** Forbids all packages but some, and nothing of the folder's own. */
function onlyPackages(folder: string, below: number): string[] {
  const allowed = packages[folder];
  if (!allowed) return [];
  const own = Array.from({ length: below + 1 }, (_, ups) => (ups === 0 ? "!./**" : `!${"../".repeat(ups)}**`));
  return ["*", ...allowed.map((name) => `!${name}`), ...own];
}

/** Returns how a file that is `depth` folders below `src`, in `folder`, writes the imports that it may have. */
function specifiers(folder: string, allowed: readonly string[], depth: number): string[] {
  return allowed.map((entry) => {
    const from = folder.split("/");
    const to = (entry.endsWith(".ts") ? entry : entry.endsWith("/*") ? `${entry}.ts` : `${entry}/**`).split("/");
    let same = 0;
    while (same < from.length && from[same] === to[same]) same++;
    return "../".repeat(depth - same) + to.slice(same).join("/");
  });
}
