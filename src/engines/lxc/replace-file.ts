import { open, rename } from "node:fs/promises";

/** Whole or not at all, and on the disk when it resolves. */
export async function replaceFile(file: string, text: string, mode: number): Promise<void> {
  const draft = `${file}.gantry-new`;
  const handle = await open(draft, "w", mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}
