import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface SmallDisk {
  folder: string;
  /** Takes every byte that is left. */
  fill(): void;
  free(): void;
  close(): void;
}

/** Mounts a disk of its own. `size`: MiB. */
export function smallDisk(size: number): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), "full-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}m`, "tmpfs", folder]);
  const filler = join(folder, "filler");
  return {
    folder,
    fill() {
      for (let piece = 1 << 20; piece >= 1;) {
        try {
          appendFileSync(filler, Buffer.alloc(piece));
        } catch {
          piece = Math.floor(piece / 2);
        }
      }
    },
    free: () => rmSync(filler),
    close() {
      execFileSync("umount", ["-l", folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
