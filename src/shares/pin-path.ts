import path from "node:path";
import type { SharePath } from "./shares.ts";

/** Where a folder of a share is mounted for the container that a task makes. */
export interface Pin {
  /** The type of the engine, as `docker`. */
  engine: string;
  /** The id of the task. */
  task: number;
  /** The folder in its share. */
  place: SharePath;
}

/** Bytes of a file name, less the mark of a part that goes on in the next one. */
const longestPart = 254;
const goesOn = ":";

/**
 * Returns ROOT/ENGINE/TASK/FOLDER. FOLDER is the folder's path in the shares with its slashes escaped, as
 * `Public%2Fsome folder`; one that is too long for a file name goes on in further parts. So the engine's own record of a
 * mount says which folder it is.
 */
export function pinPath(root: string, { engine, task, place }: Pin): string {
  return path.join(root, engine, String(task), ...parts(place));
}

/** Returns all folders of a pin below that of its task, the outermost first. */
export function folderOfPin(root: string, { engine, task, place }: Pin): string[] {
  const names = parts(place);
  return names.map((_, index) => path.join(root, engine, String(task), ...names.slice(0, index + 1)));
}

/** Undoes `pinPath`. Returns undefined for any other path, and where `parse` throws: the share is gone. */
export function parsePin(root: string, source: string, parse: (place: string) => SharePath): Pin | undefined {
  if (!source.startsWith(`${root}/`)) return undefined;
  const [engine = "", task = "", ...names] = source.slice(root.length + 1).split("/");
  if (!/^\d{1,15}$/.test(task) || names.length === 0) return undefined;
  const text = names.map((name) => (name.endsWith(goesOn) ? name.slice(0, -1) : name)).join("");
  try {
    return { engine, task: Number(task), place: parse(`/${decodeURIComponent(text)}`) };
  } catch {
    return undefined;
  }
}

function parts({ share, components }: SharePath): string[] {
  const text = [share, ...components].join("/").replaceAll(/[%/:]/g, encodeURIComponent);
  const names: string[] = [];
  let name = "";
  for (const letter of text) {
    if (Buffer.byteLength(name + letter) > longestPart) {
      names.push(name + goesOn);
      name = "";
    }
    name += letter;
  }
  return [...names, name];
}
