import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";

import { AppError } from "../../errors.ts";
import { installation } from "../../util/installation.ts";
import type { PullProgress } from "../images.ts";
import { architecture } from "./architecture.ts";
import { createBuildMeter } from "./debian-progress.ts";
import { acquireFiles, debianSources } from "./debian-sources.ts";
import { archiveName } from "./download.ts";
import { pack } from "./packer.ts";
import { removeTree } from "../processes/remove-tree.ts";
import { startProgram } from "./program.ts";
import type { NewImage } from "./store.ts";

/** What is built. */
export interface BuildOptions {
  /** As bookworm. */
  release: string;
  /** Empty; gets the archive. The build has its files and mounts in there meanwhile. */
  folder: string;
  /** The task that it belongs to, as STATION/TASK. */
  task: string;
  /** Stops it; it throws `cancelled` then. */
  signal: AbortSignal;
  /** Variables that name proxies. */
  env: Readonly<Record<string, string>>;
  /** Is called with each progress. */
  report: (progress: PullProgress) => void;
}

/** Packages of a system image; libnss-myhostname finds a container by its own name, whatever that becomes. */
const packages = ["systemd-sysv", "dbus", "udev", "iproute2", "iputils-ping", "ca-certificates", "libnss-myhostname"];
/** Releases whose systemd has its resolver with it. */
const olderReleases = ["bullseye"];
const finishScript = join(installation, "src/engines/system-images/debian-finish.sh");

/** Builds a small Debian that boots, with this host's own package sources where it is a Debian of that release. */
export async function buildDebian(options: BuildOptions): Promise<NewImage> {
  const { release, folder, task, signal, report } = options;
  const workshop = join(folder, "build");
  await mkdir(workshop);
  const argv = await commandOf(release, workshop);
  const env = { ...options.env, TMPDIR: workshop };
  const hash = createHash("sha256");
  // Killed, it leaves files and mounts in the workshop, which go with it; asked to end, it takes its time.
  const program = startProgram(argv, { task, signal, env, stdio: ["ignore", "pipe", "pipe"] });
  program.onLine(createBuildMeter((percent) => report({ percent, text: `Build image:${percent}%` })));
  async function* hashed(): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of program.child.stdout as Readable as AsyncIterable<Buffer>) {
      hash.update(chunk);
      yield chunk;
    }
    // Half of a tar is no image.
    await program.done;
  }
  try {
    await pack(hashed(), { file: join(folder, archiveName), task, signal });
  } catch (error) {
    program.kill();
    await program.done.catch(() => undefined);
    throw failure(error, release);
  }
  await removeTree(workshop, { task });
  return {
    id: hash.digest("hex"),
    architecture: architecture.machine,
    description: `Debian ${release}`,
    serial: "",
    created: Math.floor(Date.now() / 1000),
  };
}

async function commandOf(release: string, folder: string): Promise<[string, ...string[]]> {
  const include = [...packages, ...(olderReleases.includes(release) ? [] : ["systemd-resolved"])];
  const sources: string[] = [];
  for (const [name, text] of Object.entries(await debianSources(release))) {
    sources.push(join(folder, name));
    await writeFile(join(folder, name), text);
  }
  return [
    "mmdebstrap",
    "--mode=root",
    "--format=tar",
    "--verbose",
    "--variant=minbase",
    `--include=${include.join(",")}`,
    ...(await acquireFiles()).map((file) => `--aptopt=${file}`),
    `--customize-hook=${finishScript}`,
    "--",
    release,
    "-",
    ...sources,
  ];
}

function failure(error: unknown, release: string): unknown {
  if (!(error instanceof AppError) || error.code !== "engine_failed") return error;
  if (error.cause instanceof Error) {
    return new AppError("remote_failed", "This host has no mmdebstrap to build a Debian with.", { cause: error });
  }
  const said = (error.cause as { said?: string } | undefined)?.said ?? "";
  const reasons = said
    .split("\n")
    .filter((line) => line.startsWith("E: "))
    .map((line) => line.slice(3).trim());
  const reason = (reasons[0] ?? "its log says why").replace(/\.$/, "");
  return new AppError("remote_failed", `Debian ${release} cannot be built on this host: ${reason}.`, { cause: error });
}
