import { createHash } from "node:crypto";
import { join } from "node:path";

import type { PullProgress } from "../images.ts";
import { wrongAnswer } from "./failures.ts";
import { pack } from "./packer.ts";
import type { Remote } from "./remote.ts";
import type { Build } from "./simplestreams.ts";

/** What is downloaded. */
export interface DownloadOptions {
  /** The server. */
  remote: Remote;
  /** What is downloaded. */
  build: Build;
  /** Gets `archiveName`. */
  folder: string;
  /** The task that it belongs to, as STATION/TASK. */
  task: string;
  /** Stops it; it throws `cancelled` then. */
  signal: AbortSignal;
  /** Is called with each progress. */
  report: (progress: PullProgress) => void;
}

/** The name of an image's archive in its folder. */
export const archiveName = "rootfs.tar.zst";

/** Downloads a build, checks it while it comes, and packs it anew: xz is slow to unpack each time. */
export async function download({ remote, build, folder, ...options }: DownloadOptions): Promise<void> {
  const { task, signal, report } = options;
  const hash = createHash("sha256");
  async function* checked(): AsyncGenerator<Buffer, void, undefined> {
    let received = 0;
    for await (const chunk of remote.file(build.path, build.size, signal)) {
      hash.update(chunk);
      received += chunk.length;
      // 100 is for a pull that has ended well.
      const percent = Math.min(99, Math.floor((100 * received) / build.size));
      report({ percent, text: `Download image:${percent}%` });
      yield chunk;
    }
    if (hash.digest("hex") !== build.id) throw wrongAnswer(remote.host, `sent ${build.path} with a wrong SHA-256`);
  }
  await pack(checked(), { file: join(folder, archiveName), task, signal });
}
