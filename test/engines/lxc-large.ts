import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Engine } from "../../src/engines/engine.ts";
import type { ContainerSpec } from "../../src/engines/container-spec.ts";
import { createLxcEngine } from "../../src/engines/lxc/lxc.ts";
import type { Shape } from "../../src/engines/shape.ts";
import { killStrayProcesses } from "../../src/engines/processes/stray-processes.ts";
import { fillBusybox } from "../support/images.ts";
import { testStation } from "./container-spec.ts";
import { lxcBench, type LxcBench, taskProcesses, withImage } from "./lxc-bench.ts";
import { killWorker } from "./lxc-kill.ts";
import type { Moment } from "./moments.ts";

/** An image whose unpacking takes a while. */
export const large = "large:latest";

interface Work {
  verb: "create" | "start" | "remove" | "reshape";
  spec: ContainerSpec;
  change?: Shape;
}

/** For what is stopped or killed in its middle. */
export interface LargeBench extends LxcBench {
  /** Has `large`. */
  slow(): Engine;
  /** Of `large`. */
  archive(): string;
  /** Kills a station's process in its work, at a moment after that began. */
  killedWhile(work: Work, moment: Moment): Promise<void>;
  /** Moments of a container's creation: its folder is there, and it is being filled. */
  making(spec: ContainerSpec): readonly Moment[];
  /** As the next start does it. */
  recovered(): Promise<void>;
}

/** `large` has so many folders of 2 MiB that do not compress, and what `more` puts into each and into the root. */
export function largeBench(
  folders: number,
  more: { folder?(path: string): void; root?(path: string): void },
): LargeBench {
  let slow: Engine;
  let archive = "";
  const bench = lxcBench(async () => {
    const images = withImage(bench.images(), large, (root) => {
      fillBusybox(root);
      for (let n = 0; n < folders; n++) {
        const folder = join(root, "var", `folder-${n}`);
        mkdirSync(folder);
        writeFileSync(join(folder, "data"), randomBytes(2 * 1024 * 1024));
        more.folder?.(folder);
      }
      more.root?.(root);
    });
    archive = (await images.rootfs(large))?.archive ?? "";
    slow = createLxcEngine({ path: bench.lxc().path, images });
  });

  const staged = (): string[] => {
    const folder = join(bench.lxc().path, ".gantry-staging");
    return existsSync(folder) ? readdirSync(folder) : [];
  };

  return {
    ...bench,
    slow: () => slow,
    archive: () => archive,
    killedWhile: (work, moment) => killWorker({ ...work, archive, path: bench.lxc().path }, moment),
    making: ({ name }) => [
      () => staged().some((folder) => folder.endsWith(`.${name}`)),
      () => helpers().some((helper) => helper.name === "tar"),
    ],
    async recovered() {
      await killStrayProcesses(testStation);
      await slow.recover(testStation);
    },
  };
}

/** The programs that work for a station now. */
export function helpers(): { pid: number; name: string }[] {
  return taskProcesses().flatMap((pid) => {
    try {
      return { pid: Number(pid), name: readFileSync(`/proc/${pid}/comm`, "utf8").trim() };
    } catch {
      return [];
    }
  });
}
