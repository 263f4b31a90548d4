import type { GivenAddress } from "../network/given-addresses.ts";

/** Texts of a container's own files: what it is called, whom it asks for names, which addresses its card has. */

/** Returns /etc/hosts with another name of the machine itself. */
export function renameInHosts(hosts: string, former: string, hostname: string): string {
  return hosts.replaceAll(/^(127\.\S+|::1)([ \t].*)$/gm, (_, address: string, names: string) => {
    return address + names.replaceAll(wholeWord(former), (_match, gap: string) => `${gap}${hostname}`);
  });
}

/** Returns a pattern for the name as a whole word, with what is before it. */
function wholeWord(name: string): RegExp {
  return new RegExp(`([ \\t])${name.replaceAll(/[^\w-]/g, "\\$&")}(?=[ \\t]|$)`, "g");
}

/** Returns /etc/resolv.conf with these name servers; see resolv.conf(5). */
export function resolverText(servers: readonly string[]): string {
  return servers.map((server) => `nameserver ${server}\n`).join("");
}

/** Where systemd-networkd reads what Gantry says of the card; see systemd.network(5). */
export const networkFile = "/etc/systemd/network/05-gantry.network";

/** What is said of a network card. */
export interface CardFacts {
  /** As it is called inside. */
  card: string;
  /** Address of the way out. */
  gateway: string;
  /** Addresses of the name servers. */
  nameServers: readonly string[];
}

/** Returns the file for systemd-networkd that gives a card these addresses. */
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
