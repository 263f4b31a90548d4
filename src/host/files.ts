import { readdir, readFile } from "node:fs/promises";

/** A file of the kernel's; "" where this kernel does not have it. */
export async function readText(path: string): Promise<string> {
  return (await readFile(path, "utf8").catch(() => "")).trim();
}

/** The names in a folder of the kernel's, in order; none where this kernel does not have it. */
export async function readNames(path: string): Promise<string[]> {
  const names = await readdir(path).catch(() => []);
  return names.sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
}

/** `NAME: VALUE`, `NAME=VALUE` or `NAME = "VALUE"` lines; of a repeated name the first counts. */
export function readFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^\s*([^:=]+?)\s*[:=]\s*"?(.*?)"?\s*$/.exec(line);
    const [, name = "", value = ""] = match ?? [];
    if (match && !fields.has(name)) fields.set(name, value);
  }
  return fields;
}
