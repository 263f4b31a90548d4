import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { allowedFor, layerOf } from "./layers.ts";
import { limits } from "./limits.ts";
import { readSource, type SourceFile } from "./source-file.ts";

/**
 * Prints how the project's files are arranged, and fails where a rule of CONTRIBUTING.md is broken. `npm run check` runs it.
 */
const root = join(import.meta.dirname, "../..");
const paths = globSync("{src,test,bench,scripts}/**/*.ts", { cwd: root }).sort();
/** All files and, with a slash at their end, all folders that documents may name. */
const everyPath = globSync("{src,test,bench,scripts,*}{,/**}", {
  cwd: root,
  exclude: ["node_modules"],
  withFileTypes: true,
}).map((entry) => `${relative(root, join(entry.parentPath, entry.name))}${entry.isDirectory() ? "/" : ""}`);
const files = paths.map((path) => readSource(root, path));
const sources = files.filter(({ path }) => path.startsWith("src/"));

const documents = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"];

interface Rule {
  /** What is found, in the plural. */
  name: string;
  /** One line for each finding. */
  found: readonly string[];
}

const rules: readonly Rule[] = [
  { name: `folders of more than ${limits.filesPerFolder} files`, found: fullFolders() },
  { name: `files of more than ${limits.linesPerFile} lines, of tests ${limits.linesPerTestFile}`, found: longFiles() },
  { name: `functions of more than ${limits.linesPerFunction} lines`, found: sources.flatMap(longFunctions) },
  { name: "imports against scripts/structure/layers.ts", found: sources.flatMap(forbiddenImports) },
  { name: "folders that import each other", found: mutualFolders() },
  { name: "paths in documents that do not exist", found: documents.flatMap(missingPaths) },
  {
    name: "members of exported interfaces without a docstring",
    found: sources.flatMap(({ path, undocumented }) => undocumented.map(({ name, line }) => `${path}:${line} ${name}`)),
  },
];

for (const { name, found } of rules) {
  console.log(`${found.length} ${name}`);
  for (const line of found) console.log(`  ${line}`);
  if (found.length > 0) process.exitCode = 1;
}
console.log(`${sources.length} files in src, ${files.length} in all`);

/**
 * Returns the paths in backticks that lead nowhere: files as `tasks/machine.ts`, and folders as `src/tasks/` or `lxc/id-map/`.
 * A path may leave out folders at its beginning. One with a placeholder, as `<kind>.ts`, is passed over, and so is a file
 * of a host, which has another ending or begins with a slash.
 */
function missingPaths(document: string): string[] {
  if (!existsSync(join(root, document))) return [];
  const lines = readFileSync(join(root, document), "utf8").split("\n");
  return lines.flatMap((line, index) =>
    [...line.matchAll(/`([a-z][\w.-]*(?:\/[\w.-]+)*(?:\.ts|\.sh|\/))`/g)]
      .map(([, path = ""]) => path)
      .filter((path) => !isThere(path))
      .map((path) => `${document}:${index + 1} ${path}`),
  );
}

function isThere(path: string): boolean {
  return everyPath.some((known) => `/${known}`.endsWith(`/${path}`));
}

function longFiles(): string[] {
  return files
    .filter(({ path, lines }) => lines > (path.startsWith("test/") ? limits.linesPerTestFile : limits.linesPerFile))
    .map(({ path, lines }) => `${path} has ${lines}`);
}

function longFunctions({ path, functions }: SourceFile): string[] {
  return functions
    .filter(({ lines }) => lines > limits.linesPerFunction)
    .map(({ name, line, lines }) => `${path}:${line} ${name} has ${lines}`);
}

function fullFolders(): string[] {
  const counts = Map.groupBy(sources, ({ path }) => dirname(path));
  return [...counts]
    .filter(([, inside]) => inside.length > limits.filesPerFolder)
    .map(([folder, inside]) => `${folder} has ${inside.length}`);
}

/** The folder that a file is in, from `src`; "" for a file of `src` itself. */
function folderOf(path: string): string {
  return dirname(path).split("/").slice(1).join("/");
}

function forbiddenImports({ path, imports }: SourceFile): string[] {
  const folder = folderOf(path);
  if (folder === "") return [];
  const own = layerOf(folder);
  if (own === undefined) return [`${path} is in a folder that scripts/structure/layers.ts does not name`];
  const allowed = allowedFor(own);
  const isAllowed = (target: string): boolean =>
    target.startsWith(`src/${own}/`) ||
    allowed.some((entry) =>
      entry.endsWith("/*")
        ? dirname(target) === `src/${entry.slice(0, -"/*".length)}`
        : target === `src/${entry}` || target.startsWith(`src/${entry}/`),
    );
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
