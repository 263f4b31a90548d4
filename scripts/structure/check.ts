import { globSync } from "node:fs";
import { dirname, join } from "node:path";
import { layers } from "./layers.ts";
import { readSource, type SourceFile } from "./source-file.ts";

/** Prints how the project's files are arranged, and fails where a rule of CONTRIBUTING.md is broken. */
const limits = { filesPerFolder: 20, linesPerFile: 300, linesPerFunction: 80 };
const root = join(import.meta.dirname, "../..");
const paths = globSync("{src,test,bench,scripts}/**/*.ts", { cwd: root }).sort();
const files = paths.map((path) => readSource(root, path));
const sources = files.filter(({ path }) => path.startsWith("src/"));

const rules: readonly [name: string, broken: readonly string[]][] = [
  [`folders of more than ${limits.filesPerFolder} files`, fullFolders()],
  [
    `files of more than ${limits.linesPerFile} lines`,
    files.filter(({ lines }) => lines > limits.linesPerFile).map(({ path, lines }) => `${path} has ${lines}`),
  ],
  [
    `functions of more than ${limits.linesPerFunction} lines`,
    sources.flatMap(({ path, functions }) =>
      functions
        .filter(({ lines }) => lines > limits.linesPerFunction)
        .map(({ name, line, lines }) => `${path}:${line} ${name} has ${lines}`),
    ),
  ],
  ["imports against scripts/structure/layers.ts", sources.flatMap(forbiddenImports)],
  ["folders that import each other", mutualFolders()],
  [
    "members of exported interfaces without a docstring",
    sources.flatMap(({ path, undocumented }) => undocumented.map(({ name, line }) => `${path}:${line} ${name}`)),
  ],
];

const shown = Number(process.argv[2] ?? 10);
for (const [name, broken] of rules) {
  console.log(`${broken.length} ${name}`);
  for (const line of broken.slice(0, shown)) console.log(`  ${line}`);
  if (broken.length > shown) console.log(`  and ${broken.length - shown} more`);
}
console.log(`${sources.length} files in src, ${files.length} in all`);
process.exitCode = rules.every(([, broken]) => broken.length === 0) ? 0 : 1;

function fullFolders(): string[] {
  const counts = Map.groupBy(sources, ({ path }) => dirname(path));
  return [...counts]
    .filter(([, inside]) => inside.length > limits.filesPerFolder)
    .map(([folder, inside]) => `${folder} has ${inside.length}`);
}

/** The folder of `src` that a file is in; "" for a file of `src` itself. */
function layerOf(path: string): string {
  const [, folder = "", ...rest] = path.split("/");
  return rest.length > 0 ? folder : "";
}

function forbiddenImports({ path, imports }: SourceFile): string[] {
  const own = layerOf(path);
  if (own === "") return [];
  const allowed = layers[own] ?? [];
  const isAllowed = (target: string): boolean => {
    const layer = layerOf(target);
    if (layer === own) return true;
    if (own !== "api" && (target === "src/errors.ts" || layer === "util")) return true;
    return allowed.some((entry) => target === `src/${entry}` || target.startsWith(`src/${entry}/`));
  };
  return imports.filter((target) => !isAllowed(target)).map((target) => `${path} imports ${target}`);
}

/** Folders beside each other of which each imports the other. */
function mutualFolders(): string[] {
  const edges = new Set<string>();
  for (const { path, imports } of sources) {
    for (const target of imports) {
      const pair = siblings(dirname(path), dirname(target));
      if (pair) edges.add(pair.join(" "));
    }
  }
  return [...edges].flatMap((edge) => {
    const [a = "", b = ""] = edge.split(" ");
    return a < b && edges.has(`${b} ${a}`) ? [`${a} and ${b}`] : [];
  });
}

/** Where the paths of two folders part; undefined when one lies in the other. */
function siblings(from: string, to: string): [string, string] | undefined {
  const [a, b] = [from.split("/"), to.split("/")];
  let same = 0;
  while (same < a.length && same < b.length && a[same] === b[same]) same++;
  if (same === a.length || same === b.length) return undefined;
  return [a.slice(0, same + 1).join("/"), b.slice(0, same + 1).join("/")];
}
