import { spawn, execFileSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { busyboxLayer, tarOf } from "../support/images.ts";
import { pushImage } from "../support/registry.ts";
import { testEngines } from "../support/engines.ts";

/** renameat2(2), and its flag that exchanges two names in one step. */
const renameat2 = { x64: 316, arm64: 276 }[process.arch as "x64" | "arm64"];
const exchange = 2;
/** Prints one letter after every thousand exchanges, which is how they are counted. */
const scripts = {
  exchange: `while (1) { syscall(${renameat2}, -100, $ARGV[0], -100, $ARGV[1], ${exchange}) == 0 or next;
    syswrite(STDOUT, "x") if ++$n % 1000 == 0 }`,
  rename: `while (1) { rename($ARGV[0], "$ARGV[1].aside"); rename($ARGV[1], $ARGV[0]);
    rename($ARGV[0], $ARGV[1]); rename("$ARGV[1].aside", $ARGV[0]);
    syswrite(STDOUT, "x") if ++$n % 1000 == 0 }`,
} as const;

export type Way = keyof typeof scripts;
export const ways = Object.keys(scripts) as Way[];

/** Puts a link in the place of a folder, and the folder back, as fast as it can. */
export interface Swapper {
  /** Ends it. Returns how often it has exchanged the two, in full thousands. */
  stop(): Promise<number>;
}

/** `inside`: a process in whose mount namespace, and so in whose container, it works; absent: on the host. */
export function startSwapper(way: Way, folder: string, link: string, inside?: number): Swapper {
  const enter = inside === undefined ? [] : ["nsenter", "-t", String(inside), "-m", "--"];
  const [program, ...args] = [...enter, "perl", "-e", scripts[way], folder, link];
  const child: ChildProcess = spawn(program, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env["PATH"], LC_ALL: "C" },
  });
  let thousands = 0;
  child.stdout?.on("data", (chunk: Buffer) => (thousands += chunk.length));
  return {
    async stop() {
      const ended = once(child, "close");
      child.kill("SIGKILL");
      await ended;
      return thousands * 1000;
    },
  };
}

/** The layout that swappers work on: `public/a/op/d`, and beside each of its folders a link into `secret`. */
export function layOut(root: string): void {
  rmSync(join(root, "public/a"), { recursive: true, force: true });
  for (const name of ["a.link", "a.link.aside"]) rmSync(join(root, "public", name), { recursive: true, force: true });
  mkdirSync(join(root, "public/a/op/d"), { recursive: true });
  symlinkSync(join(root, "secret/a"), join(root, "public/a.link"));
  symlinkSync(join(root, "secret/a/op"), join(root, "public/a/op.link"));
  symlinkSync(join(root, "secret/a/op/d"), join(root, "public/a/op/d.link"));
  mkdirSync(join(root, "secret/a/op/d"), { recursive: true });
}

/** Folders of `public` that a swapper exchanges: the mounted one, the one above it, and the one above that. */
export const levels = ["a/op/d", "a/op", "a"] as const;

/** Docker Hub's `library/swapper:1`: busybox, perl, and an `id` that tells its effective user. */
export async function pushSwapperImage(): Promise<void> {
  const programs = ["/usr/bin/perl", "/usr/bin/id"];
  const layer = tarOf((root) => {
    for (const file of new Set([...programs, ...programs.flatMap(librariesOf)])) {
      mkdirSync(join(root, dirname(file)), { recursive: true });
      copyFileSync(file, join(root, file));
    }
  });
  const config = { Cmd: ["sh"], Env: ["PATH=/usr/bin:/bin"] };
  const { registry } = testEngines();
  await pushImage({ layers: [busyboxLayer(), layer], config }, { registry, reference: "library/swapper:1" });
}

function librariesOf(program: string): string[] {
  const listed = execFileSync("ldd", [program], { encoding: "utf8" });
  return [...listed.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, file]) => file as string);
}
