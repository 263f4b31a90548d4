import { open, rename } from "node:fs/promises";

/** Replaces a file, whole or not at all; the new one is on the disk when it resolves. */
export async function replaceFile(file: string, text: string, mode: number): Promise<void> {
  const draft = `${file}.gantry-new`;
  await writeSynced(draft, text, { flag: "w", mode });
  await rename(draft, file);
}

/** Writes a file that is on the disk when it resolves. */
export async function writeSynced(file: string, text: string, as: { flag: "w" | "wx"; mode: number }): Promise<void> {
  const handle = await open(file, as.flag, as.mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
