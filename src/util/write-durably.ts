import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Writes a file for the station's user only: whole or not at all, also through a power cut, which it survives from then on. */
export function writeDurably(path: string, content: Uint8Array | string): void {
  const file = openSync(`${path}.new`, "w", 0o600);
  try {
    writeSync(file, Buffer.from(content));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
  const folder = openSync(dirname(path), "r");
  fsyncSync(folder);
  closeSync(folder);
}
