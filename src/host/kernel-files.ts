import { readdir, readFile } from "node:fs/promises";

/** Returns the trimmed text of a file in `/proc` or `/sys`, or "" if this kernel does not have it. */
export async function readKernelText(path: string): Promise<string> {
  return (await readFile(path, "utf8").catch(() => "")).trim();
}

/** Returns the sorted names in a folder of `/proc` or `/sys`, or none if this kernel does not have it. */
export async function listKernelFolder(path: string): Promise<string[]> {
  const names = await readdir(path).catch(() => []);
  return names.sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
}

/** Parses lines of the forms `NAME: VALUE`, `NAME=VALUE` and `NAME = "VALUE"`. If a name repeats, its first line counts. */
export function readFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^\s*([^:=]+?)\s*[:=]\s*"?(.*?)"?\s*$/.exec(line);
    const [, name = "", value = ""] = match ?? [];
    if (match && !fields.has(name)) fields.set(name, value);
  }
  return fields;
}
