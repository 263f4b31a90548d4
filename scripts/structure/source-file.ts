import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { parseSync } from "oxc-parser";

/** What the rules must know of a file. */
export interface SourceFile {
  /** From the project's root, as src/tasks/machine.ts. */
  path: string;
  lines: number;
  /** Files of the project that it imports, by their path from the root. */
  imports: readonly string[];
  functions: readonly { name: string; line: number; lines: number }[];
  /** Members of exported interfaces that have no docstring. */
  undocumented: readonly { name: string; line: number }[];
}

interface Node {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}

/** Parses a TypeScript file. `path` is relative to `root`. */
export function readSource(root: string, path: string): SourceFile {
  const text = readFileSync(join(root, path), "utf8");
  const { program, comments } = parseSync(path, text);
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  const lineOf = (offset: number): number => lineStarts.findLastIndex((start) => start <= offset) + 1;
  const docEnds = comments.filter(({ type, value }) => type === "Block" && value.startsWith("*")).map(({ end }) => end);
  const hasDoc = (node: Node): boolean =>
    docEnds.some((end) => end <= node.start && /^\s*$/.test(text.slice(end, node.start)));
  const functions: { name: string; line: number; lines: number }[] = [];
  const undocumented: { name: string; line: number }[] = [];
  const imports: string[] = [];

  visit(program as unknown as Node, (node, parents) => {
    if (/^(?:(?:Import|ExportNamed|ExportAll)Declaration|ImportExpression)$/.test(node.type)) {
      const from = (node["source"] as { value?: string } | null)?.value ?? "";
      if (typeof from === "string" && from.startsWith(".")) imports.push(normalize(join(dirname(path), from)));
    }
    if (/^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) {
      const first = lineOf(node.start);
      functions.push({ name: nameOf(node, parents), line: first, lines: lineOf(node.end) - first + 1 });
    }
    if (node.type === "TSInterfaceDeclaration" && parents.at(-1)?.type === "ExportNamedDeclaration") {
      for (const member of (node["body"] as { body: Node[] }).body) {
        if (!hasDoc(member)) undocumented.push({ name: `${idOf(node)}.${keyOf(member)}`, line: lineOf(member.start) });
      }
    }
  });
  return { path, lines: lineOf(Math.max(0, text.length - 1)), imports, functions, undocumented };
}

function visit(node: Node, enter: (node: Node, parents: readonly Node[]) => void, parents: readonly Node[] = []): void {
  enter(node, parents);
  const inside = [...parents, node];
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child === "object" && child !== null && typeof (child as Node).type === "string") {
        visit(child as Node, enter, inside);
      }
    }
  }
}

function nameOf(node: Node, parents: readonly Node[]): string {
  const parent = parents.at(-1);
  return idOf(node) || (parent ? idOf(parent) || keyOf(parent) : "") || "(anonymous)";
}

function idOf(node: Node): string {
  return (node["id"] as { name?: string } | null | undefined)?.name ?? "";
}

function keyOf(node: Node): string {
  return (node["key"] as { name?: string } | null | undefined)?.name ?? "";
}
