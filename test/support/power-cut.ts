import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./daemon.ts";

/**
 * A disk whose power can be cut: nbdkit keeps what was written and not flushed in memory, as a disk's cache does, and
 * killing it throws that away. After the cut the same image is mounted plainly, as after a reboot.
 */
export interface CuttableDisk {
  /** Where it is mounted. */
  readonly mount: string;
  cut(): Promise<void>;
  /** Mounts what survived, replaying the file system's journal. */
  reboot(): void;
  remove(): Promise<void>;
}

export async function createCuttableDisk(): Promise<CuttableDisk> {
  const folder = mkdtempSync(join(tmpdir(), "disk-"));
  const at = (name: string) => join(folder, name);
  for (const name of ["nbd", "mount"]) mkdirSync(at(name));
  execFileSync("truncate", ["-s", "256M", at("image")]);
  execFileSync("mkfs.ext4", ["-q", at("image")]);
  const cache = spawn("nbdkit", ["-f", "-U", at("socket"), "--filter=cache", "file", at("image"), "cache=writeback"], {
    stdio: "ignore",
  });
  await expect(() => existsSync(at("socket")), "nbdkit");
  const fuse = spawn("nbdfuse", [at("nbd"), "--unix", at("socket")], { stdio: "ignore" });
  await expect(() => existsSync(at("nbd/nbd")), "nbdfuse");
  let loop = attach(at("nbd/nbd"));
  execFileSync("mount", [loop, at("mount")]);

  function release(): void {
    quietly("umount", ["-l", at("mount")]);
    if (loop) quietly("losetup", ["-d", loop]);
    loop = "";
  }

  return {
    mount: at("mount"),
    async cut() {
      cache.kill("SIGKILL");
      await gone(cache);
    },
    reboot() {
      release();
      quietly("umount", ["-l", at("nbd")]);
      loop = attach(at("image"));
      execFileSync("mount", [loop, at("mount")]);
    },
    async remove() {
      release();
      quietly("umount", ["-l", at("nbd")]);
      for (const child of [cache, fuse]) {
        child.kill("SIGKILL");
        await gone(child);
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function attach(file: string): string {
  return execFileSync("losetup", ["-f", "--show", file], { encoding: "utf8" }).trim();
}

function quietly(command: string, args: readonly string[]): void {
  try {
    execFileSync(command, args, { stdio: "ignore" });
  } catch {
    // It was not mounted, or went with the power.
  }
}

async function gone(child: ChildProcess): Promise<void> {
  await until(() => child.exitCode !== null || child.signalCode !== null, 60_000);
}

async function expect(condition: () => boolean, what: string): Promise<void> {
  if (!(await until(condition, 60_000))) throw new Error(`${what} does not start`);
}
