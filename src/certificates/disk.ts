import { mkdir, open, readdir, rename, rm, symlink } from "node:fs/promises";

/** The calls by which certificates change the disk, each durable when it resolves except where it says so. */
export interface Disk {
  /** For the station's user only. */
  makeFolder(path: string): Promise<void>;
  /** A new file, for the station's user only. */
  write(path: string, text: string): Promise<void>;
  /** Not durable before the folder is flushed. */
  rename(from: string, to: string): Promise<void>;
  link(target: string, path: string): Promise<void>;
  /** What was made, renamed or removed in this folder. */
  flush(folder: string): Promise<void>;
  remove(path: string): Promise<void>;
  list(folder: string): Promise<string[]>;
}

export const disk: Disk = {
  async makeFolder(path) {
    await mkdir(path, { mode: 0o700 });
  },
  async write(path, text) {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  rename: (from, to) => rename(from, to),
  link: (target, path) => symlink(target, path),
  async flush(folder) {
    const handle = await open(folder, "r");
    await handle.sync().finally(() => handle.close());
  },
  remove: (path) => rm(path, { recursive: true, force: true }),
  list: (folder) => readdir(folder),
};
