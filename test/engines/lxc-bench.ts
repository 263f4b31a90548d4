import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { after, before } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Engine } from "../../src/engines/engine.ts";
import { createLxcEngine } from "../../src/engines/lxc/lxc.ts";
import { createCatalogue } from "../../src/engines/system-images/catalogue.ts";
import type { SystemImages } from "../../src/engines/system-images/system-images.ts";
import { startLxc, type TestLxc } from "../support/lxc.ts";
import { run } from "./commands.ts";
import { testStation } from "./container-spec.ts";
import { removeOwn } from "./engine-checks.ts";
import { type ImageServer, startImageServer } from "./image-server.ts";
import { launcher, type SystemBench } from "./system-bench.ts";

export const image = "test-base:latest";

export interface LxcBench extends SystemBench {
  images(): SystemImages;
  lxc(): TestLxc;
}

/** For the tests of one file: LXC and its image are there before, what they made is gone after. `more` comes before too. */
export function lxcBench(more?: () => Promise<void>): LxcBench {
  let engine: Engine;
  let images: SystemImages;
  let lxc: TestLxc;
  let server: ImageServer;
  before(async () => {
    lxc = await startLxc();
    server = await startImageServer();
    const folder = mkdtempSync(join(tmpdir(), "images-"));
    images = await createCatalogue({ folder, server: server.url, station: testStation });
    engine = createLxcEngine({ path: lxc.path, images });
    await images.pull(image, { signal: new AbortController().signal });
    await more?.();
  });
  after(async () => {
    await removeOwn(engine);
    engine.close();
    await server.close();
    assert.deepEqual(leftovers(lxc), nothing);
  });

  const base = { name: "LXC", image, bridge: "lxcbr0", network: "10.0.3", engine: () => engine };
  const launching = launcher(base, (id) => run("lxc-stop", "-P", lxc.path, "-k", "-n", id));
  return { ...base, ...launching, images: () => images, lxc: () => lxc };
}

export interface LxcLeftovers {
  /** Whatever is below LXC's path but containers. */
  folders: string[];
  reservations: string[];
  mounts: string[];
  /** Files that a loop device is on. */
  loops: string[];
  /** Processes with the station's mark. */
  children: string[];
}

export const nothing: LxcLeftovers = { folders: [], reservations: [], mounts: [], loops: [], children: [] };

/** What is there beside the containers named. */
export function leftovers({ path, hostsDir }: TestLxc, containers: readonly string[] = []): LxcLeftovers {
  const staging = join(path, ".gantry-staging");
  const entries = readdirSync(path).filter((name) => name !== ".gantry-staging" && !containers.includes(name));
  const staged = readdirSync(path).includes(".gantry-staging") ? readdirSync(staging) : [];
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((point) => point.startsWith(`${path}/`));
  return {
    folders: [...entries, ...staged],
    reservations: readdirSync(hostsDir).filter((name) => !containers.includes(name)),
    mounts,
    loops: loopFiles().filter(
      (file) => file.startsWith(`${path}/`) && !containers.includes(file.split("/").at(-2) ?? ""),
    ),
    children: taskProcesses(),
  };
}

export function loopFiles(): string[] {
  return execFileSync("losetup", ["-n", "-O", "BACK-FILE"], { encoding: "utf8" }).trim().split("\n");
}

export function taskProcesses(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").includes(`GANTRY_TASK=${testStation}/`);
      } catch {
        return false;
      }
    });
}

/**
 * A store that has, beside those of `images`, the image NAME: what `fill` puts into a folder, with owners and modes as
 * there.
 */
export function withImage(images: SystemImages, name: string, fill: (root: string) => void): SystemImages {
  const folder = mkdtempSync(join(tmpdir(), "made-"));
  const root = mkdtempSync(join(tmpdir(), "root-"));
  fill(root);
  const archive = join(folder, "rootfs.tar.zst");
  const attributes = ["--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls"];
  execFileSync("tar", ["-C", root, ...attributes, "-I", "zstd -1", "-cf", archive, "."]);
  execFileSync("rm", ["-rf", root]);
  const rootfs = { id: "f".repeat(64), archive, architecture: "x86_64", description: name, created: 0 };
  return { ...images, rootfs: async (reference) => (reference === name ? rootfs : images.rootfs(reference)) };
}
