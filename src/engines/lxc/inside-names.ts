import type { GivenAddress } from "./given-addresses.ts";
import { hasFolder, makeFolderInside, readInside, replaceInside } from "./root-files.ts";

/** A container's own files that say what it is called, whom it asks for names, and which addresses its card has. */

/** An image without /etc has none of them. */
export async function setHostname(root: string, former: string, hostname: string): Promise<void> {
  await replaceInside(root, "/etc/hostname", `${hostname}\n`);
  const hosts = await readInside(root, "/etc/hosts");
  const renamed = hosts === undefined ? undefined : renamedInHosts(hosts, former, hostname);
  if (renamed !== undefined && renamed !== hosts) await replaceInside(root, "/etc/hosts", renamed);
}

/** What /etc/hosts says then of the machine itself. */
export function renamedInHosts(hosts: string, former: string, hostname: string): string {
  return hosts.replaceAll(/^(127\.\S+|::1)([ \t].*)$/gm, (_, address: string, names: string) => {
    return address + names.replaceAll(wordsLike(former), (_match, gap: string) => `${gap}${hostname}`);
  });
}

/** The name as a whole word, with what is before it. */
function wordsLike(name: string): RegExp {
  return new RegExp(`([ \\t])${name.replaceAll(/[^\w-]/g, "\\$&")}(?=[ \\t]|$)`, "g");
}

export function resolverText(servers: readonly string[]): string {
  return servers.map((server) => `nameserver ${server}\n`).join("");
}

export function canHaveResolver(root: string): Promise<boolean> {
  return hasFolder(root, "/etc");
}

/** In place of a link, through which a resolver inside would say something else. */
export async function setNameServers(root: string, servers: readonly string[]): Promise<void> {
  const text = resolverText(servers);
  if ((await readInside(root, "/etc/resolv.conf")) !== text) await replaceInside(root, "/etc/resolv.conf", text);
}

export const networkFile = "/etc/systemd/network/05-gantry.network";

export interface CardFacts {
  /** As it is called inside. */
  card: string;
  gateway: string;
  nameServers: readonly string[];
}

/** systemd-networkd asks nobody then, and takes nothing away. Answers whether there is one, as far as its folder says. */
export async function setNetworkFile(root: string, given: readonly GivenAddress[], facts: CardFacts): Promise<boolean> {
  if (!(await hasFolder(root, "/etc/systemd"))) return false;
  await makeFolderInside(root, "/etc/systemd/network");
  return replaceInside(root, networkFile, networkText(given, facts));
}

export function networkText(
  given: readonly Pick<GivenAddress, "address" | "length">[],
  { card, gateway, nameServers }: CardFacts,
): string {
  return [
    "# The addresses that Gantry was told to give to this container.",
    "[Match]",
    `Name=${card}`,
    "",
    "[Network]",
    "DHCP=ipv6",
    "KeepConfiguration=static",
    ...given.map(({ address, length }) => `Address=${address}/${length}`),
    ...nameServers.map((server) => `DNS=${server}`),
    "",
    "[Route]",
    `Gateway=${gateway}`,
    "GatewayOnLink=yes",
    "",
  ].join("\n");
}
