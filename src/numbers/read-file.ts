import { closeSync, openSync, readSync } from "node:fs";

/** Files of the kernel that are read here fit by far; one that does not is read in several goes. */
const buffer = Buffer.allocUnsafe(64 * 1024);

/**
 * A file of the kernel's. Synchronous, because its content comes from memory and a thread's round trip would cost more
 * than the reading; without the calls that `readFileSync` spends on a size which such a file does not tell.
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
