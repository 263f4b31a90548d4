import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testEngines } from "./engines.ts";
import { keptInRun } from "./kept-in-run.ts";
import { pushImage } from "./registry.ts";

/** What a create of a container of it needs beside the name. */
export const busybox = { type: "docker", repository: "dockerhub", image: "busybox", tag: "latest" } as const;

const shell = { Cmd: ["sh"], Env: ["PATH=/bin:/sbin:/usr/bin"] };

/** What every run has: Docker Hub's busybox and ubuntu, the open registry's busybox, and private/app behind a login. */
export async function pushImages(): Promise<void> {
  const { registry, registryAuth, registryLogin } = testEngines();
  const image = { layers: [busyboxLayer()], config: shell };
  for (const name of ["library/busybox:latest", "library/ubuntu:latest", "busybox:latest"]) {
    await pushImage(image, { registry, reference: name });
  }
  // A digest of its own, so that removing one of the two images does not just remove a tag.
  const app = { layers: image.layers, config: { ...shell, Labels: { app: "1" } } };
  await pushImage(app, { registry: registryAuth, reference: "private/app:1", login: registryLogin });
}

/**
 * Docker Hub's `library/big:latest`, 200 MB of random data in 5 layers: large enough to be cancelled at every moment of
 * its pull. Built when first asked for. Answers its reference.
 */
export async function bigImage(): Promise<string> {
  const { registry, folder } = testEngines();
  const done = join(folder, "big.done");
  if (!existsSync(done)) {
    const layers = [busyboxLayer(), ...Array.from({ length: 5 }, (_, n) => randomLayer(`data-${n}`, 40 * 1024 * 1024))];
    await pushImage({ layers, config: shell }, { registry, reference: "library/big:latest" });
    writeFileSync(done, "");
  }
  return "big:latest";
}

/** A small root file system with every applet of busybox. */
export function busyboxLayer(): Buffer {
  return keptInRun("busybox layer", () => tarOf(fillBusybox));
}

/** Its files, into an empty folder. */
export function fillBusybox(root: string): void {
  for (const name of ["bin", "dev", "etc", "mnt", "proc", "root", "run", "sys", "tmp", "usr", "var", "www"]) {
    mkdirSync(join(root, name));
  }
  const busybox = execFileSync("which", ["busybox"], { encoding: "utf8" }).trim();
  copyFileSync(busybox, join(root, "bin/busybox"));
  chmodSync(join(root, "bin/busybox"), 0o755);
  for (const applet of execFileSync(busybox, ["--list"], { encoding: "utf8" }).trim().split("\n")) {
    if (applet !== "busybox") symlinkSync("busybox", join(root, "bin", applet));
  }
  symlinkSync("bin", join(root, "sbin"));
  chmodSync(join(root, "tmp"), 0o1777);
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n");
  writeFileSync(join(root, "etc/group"), "root:x:0:\nnogroup:x:65534:\n");
  writeFileSync(join(root, "www/index.html"), "hello\n");
}

/** One file of random data, which does not compress. */
export function randomLayer(name: string, bytes: number): Buffer {
  return tarOf((root) => writeFileSync(join(root, name), randomBytes(bytes)));
}

/** A tar of what is put into the folder; the same folder gives the same bytes. */
export function tarOf(fill: (root: string) => void): Buffer {
  const root = mkdtempSync(join(tmpdir(), "layer-"));
  try {
    fill(root);
    const args = ["--numeric-owner", "--owner=0", "--group=0", "--mtime=@0", "--sort=name", "-C", root, "-c", "."];
    return execFileSync("tar", args, { maxBuffer: 512 * 1024 * 1024 });
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** Docker Hub's `library/<name>:1`, a layer of its own above the busybox. Answers its reference. */
export async function pushTinyImage(name: string): Promise<string> {
  const { registry } = testEngines();
  await pushImage(
    { layers: [busyboxLayer(), randomLayer(name, 4096)], config: shell },
    { registry, reference: `library/${name}:1` },
  );
  return `${name}:1`;
}
