import type { GivenAddress } from "../../network/given-addresses.ts";
import { type CardFacts, networkFile, networkText, renameInHosts, resolverText } from "../../reshape/inside-texts.ts";
import { unwritable } from "../../reshape/own-files.ts";
import type { Shape } from "../../shape.ts";
import { codeOf } from "../failures.ts";
import { hasFolder, makeFolderInside, checkWritableInside, readInside, replaceInside } from "./inside-files.ts";

/** A container's own files that say what it is called, whom it asks for names, and which addresses its card has. */

/** Writes another host name into a container's /etc/hostname and /etc/hosts. An image without /etc has neither. */
export async function setHostname(root: string, former: string, hostname: string): Promise<void> {
  await replaceInside(root, "/etc/hostname", `${hostname}\n`);
  const hosts = await readInside(root, "/etc/hosts");
  const renamed = hosts === undefined ? undefined : renameInHosts(hosts, former, hostname);
  if (renamed !== undefined && renamed !== hosts) await replaceInside(root, "/etc/hosts", renamed);
}

/** Returns why a container has no place for name servers, behind its name; undefined when it has. */
export async function findResolverObstacle(root: string): Promise<string | undefined> {
  if (!(await hasFolder(root, "/etc"))) return "has no folder /etc";
  return (await hasFolder(root, "/etc/resolv.conf")) ? "has a folder in the place of /etc/resolv.conf" : undefined;
}

/** Throws `conflict` when its own files cannot be written, which `field` needs. */
export async function checkWritable(root: string, field: keyof Shape): Promise<void> {
  try {
    await checkWritableInside(root, "/etc");
  } catch (error) {
    const reason = unwritableBy[codeOf(error)];
    throw reason === undefined ? error : unwritable(field, reason, error);
  }
}

const unwritableBy: Readonly<Record<string, string>> = {
  ENOSPC: "its file system is full",
  EDQUOT: "its file system is full",
  EROFS: "its file system is read-only",
  EPERM: "somebody inside has forbidden it",
  EACCES: "somebody inside has forbidden it",
};

/**
 * Writes a container's /etc/resolv.conf, in place of a link, through which a resolver inside would say something else.
 */
export async function setNameServers(root: string, servers: readonly string[]): Promise<void> {
  const text = resolverText(servers);
  if ((await readInside(root, "/etc/resolv.conf")) !== text) await replaceInside(root, "/etc/resolv.conf", text);
}

/**
 * Writes a file for systemd-networkd, which then asks no DHCP server and takes no address away. Returns false where its
 * folder is not there.
 */
export async function setNetworkFile(root: string, given: readonly GivenAddress[], facts: CardFacts): Promise<boolean> {
  if (!(await hasFolder(root, "/etc/systemd"))) return false;
  await makeFolderInside(root, "/etc/systemd/network");
  return replaceInside(root, networkFile, networkText(given, facts));
}
