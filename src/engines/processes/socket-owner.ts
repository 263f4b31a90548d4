import { readdir, readFile, readlink, realpath } from "node:fs/promises";

/** The flag of a listening socket in /proc/net/unix (`__SO_ACCEPTCON`). */
const listening = "00010000";
/** Inode of a socket -> the process that was found to have it. */
const known = new Map<string, number>();

/**
 * Returns the process that listens on a unix socket; undefined when none is found. Where systemd listens on the daemon's
 * behalf, the daemon has the same socket and is returned.
 */
export async function findSocketOwner(socket: string): Promise<number | undefined> {
  const inode = await inodeOf(socket);
  if (inode === undefined) return undefined;
  const before = known.get(inode);
  if (before !== undefined && (await holds(before, inode))) return before;
  known.delete(inode);
  const pids = (await readdir("/proc")).map(Number).filter((pid) => pid > 1);
  for (const pid of pids) {
    if (!(await holds(pid, inode))) continue;
    known.set(inode, pid);
    return pid;
  }
  return undefined;
}

async function inodeOf(socket: string): Promise<string | undefined> {
  const names = new Set([socket, await realpath(socket).catch(() => socket)]);
  const table = await readFile("/proc/net/unix", "utf8").catch(() => "");
  for (const line of table.split("\n")) {
    const [, , , flags, , , inode, ...name] = line.trim().split(/ +/);
    if (flags === listening && names.has(name.join(" "))) return inode;
  }
  return undefined;
}

async function holds(pid: number, inode: string): Promise<boolean> {
  const wanted = `socket:[${inode}]`;
  for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
    if ((await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")) === wanted) return true;
  }
  return false;
}
