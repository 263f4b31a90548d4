import { chmod, open, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { resolverText } from "../../reshape/inside-texts.ts";
import { mountLine } from "../../shared/lxc-config.ts";
import { type Settings, settingsOf } from "../files/config-file.ts";
import type { Layout } from "../files/layout.ts";

/**
 * Name servers that a container was given: a file in its folder that is mounted on its /etc/resolv.conf, so that whatever
 * asks for an address inside cannot write others over it.
 */

function resolverFile(layout: Layout, name: string): string {
  return path.join(layout.home(name), "resolv.conf");
}

/** Writes down the name servers of a container; in place, because the file may be mounted. */
export async function saveNameServers(layout: Layout, name: string, servers: readonly string[]): Promise<void> {
  const file = resolverFile(layout, name);
  await writeFile(file, resolverText(servers));
  await chmod(file, 0o644);
}

/**
 * Returns the name servers that a container was given; [] when it was given none. The file is mounted inside, where a root
 * with enough rights may have made it writable, and as large as the disk: only its beginning is read.
 */
export async function nameServersOf(layout: Layout, name: string): Promise<string[]> {
  const text = await readStart(resolverFile(layout, name), resolverSize);
  return [...text.matchAll(/^nameserver (\S+)$/gm)].map(([, server]) => server ?? "");
}

/** More than all that are given. */
const resolverSize = 4096;

/** Returns the beginning of a file; "" when there is none. */
async function readStart(file: string, length: number): Promise<string> {
  const handle = await open(file, "r").catch(() => undefined);
  if (!handle) return "";
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Returns the mounts of a configuration with the one of the file. Where a link is in its place LXC passes over it. */
export function resolverMount(layout: Layout, name: string, config: string): Settings {
  const key = "lxc.mount.entry";
  const line = mountLine(resolverFile(layout, name), target, ["bind", "ro", "optional"]);
  const others = settingsOf(config, key).filter((entry) => entry.split(" ")[1] !== target);
  return { [key]: [...others, line.slice(`${key} = `.length)] };
}

const target = "etc/resolv.conf";

/** Returns whether something is mounted on /etc/resolv.conf of a running container. `pid`: of its first process. */
export async function hasResolverMounted(pid: number): Promise<boolean> {
  const table = pid > 0 ? await readFile(`/proc/${pid}/mountinfo`, "utf8").catch(() => "") : "";
  return table.split("\n").some((line) => line.split(" ")[4] === `/${target}`);
}
