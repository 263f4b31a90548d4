import { mkdir, open, readdir, rename, rm, symlink } from "node:fs/promises";

/**
 * The calls by which certificates change the disk. Each rejects with the system's error. Changes of names in a folder are
 * durable after a `flush` of that folder.
 */
export interface Disk {
  /** Makes a folder with mode 0700. */
  makeFolder(path: string): Promise<void>;
  /** Writes a new file with mode 0600; its content is durable when this resolves. */
  write(path: string, text: string): Promise<void>;
  /** Renames a file or folder; an existing file or link of that name is replaced. */
  rename(from: string, to: string): Promise<void>;
  /** Makes a symbolic link. */
  link(target: string, path: string): Promise<void>;
  /** Makes durable which names were added, renamed and removed in this folder. */
  flush(folder: string): Promise<void>;
  /** Removes a file or a folder with its content; does nothing if there is none. */
  remove(path: string): Promise<void>;
  /** Lists the names in a folder. */
  list(folder: string): Promise<string[]>;
}

/** The disk of this host. */
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
