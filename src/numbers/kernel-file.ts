import { closeSync, openSync, readSync } from "node:fs";

/** Larger than the files that are read here; a still larger file takes several reads. */
const buffer = Buffer.allocUnsafe(64 * 1024);

/**
 * Returns the text of a file in `/proc` or `/sys`. Throws the system's error. It is synchronous because the kernel answers
 * from memory: a round trip to a thread would take longer than the read. It saves the calls that `readFileSync` spends on
 * the file's size, which is always 0 here.
 */
export function readKernelFile(path: string): string {
  const file = openSync(path, "r");
  try {
    let text = "";
    for (;;) {
      const length = readSync(file, buffer, 0, buffer.length, null);
      if (length === 0) return text;
      text += buffer.toString("latin1", 0, length);
    }
  } finally {
    closeSync(file);
  }
}
