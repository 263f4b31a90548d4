import { open, readFile, rename } from "node:fs/promises";
import { basename, join } from "node:path";

/** What the store knows of an image, in its folder. */
export interface ImageRecord {
  /** 64 hex digits. */
  id: string;
  /** Bytes of the archive as it is kept. */
  size: number;
  /** As x86_64. */
  architecture: string;
  /** For a person, as "Debian bookworm". */
  description: string;
  /** The serial of the build; "" where it was built here. */
  serial: string;
  /** Seconds since 1970. */
  created: number;
  /** Tag -> when it was given, in milliseconds since 1970. The image that got a tag last has it. */
  tags: Record<string, number>;
}

const name = "image.json";

/**
 * Returns the record in a folder; undefined when there is no image, one that is just being deleted, or a damaged
 * record.
 */
export async function readRecord(folder: string): Promise<ImageRecord | undefined> {
  try {
    const record: unknown = JSON.parse(await readFile(join(folder, name), "utf8"));
    return isRecord(record) && record.id === basename(folder) ? record : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function isRecord(value: unknown): value is ImageRecord {
  if (typeof value !== "object" || value === null) return false;
  const { id, size, architecture, description, serial, created, tags } = value as Partial<ImageRecord>;
  const words = [id, architecture, description, serial].every((word) => typeof word === "string");
  const numbers = [size, created].every((number) => typeof number === "number");
  return words && numbers && typeof tags === "object" && tags !== null;
}

/** Writes the record into a folder, whole or not at all, also when the power fails. */
export async function writeRecord(folder: string, record: ImageRecord): Promise<void> {
  const temporary = join(folder, `${name}.new`);
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(record)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(folder, name));
  await syncFolder(folder);
}

/** Brings the names in a folder to the disk; see fsync(2). */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
