/** Bytes that a network namespace has received and sent so far, over all interfaces but the loopback. */
export interface Traffic {
  rx: number;
  tx: number;
}

/** From the text of /proc/PID/net/dev. */
export function parseTraffic(text: string): Traffic {
  const traffic = { rx: 0, tx: 0 };
  for (const line of text.split("\n").slice(2)) {
    const colon = line.indexOf(":");
    if (colon === -1 || line.slice(0, colon).trim() === "lo") continue;
    const fields = line
      .slice(colon + 1)
      .trim()
      .split(/ +/);
    traffic.rx += Number(fields[0]);
    traffic.tx += Number(fields[8]);
  }
  return traffic;
}

/** Own IPv4 addresses, from the text of /proc/PID/net/fib_trie, which has each in two tables. */
export function parseAddresses(text: string): string[] {
  const found = new Set<string>();
  for (const [, address = ""] of text.matchAll(/\|-- ([0-9.]+)\n +\/32 host LOCAL/g)) {
    if (!address.startsWith("127.")) found.add(address);
  }
  return [...found];
}

/** Global IPv6 addresses, from the text of /proc/PID/net/if_inet6. */
export function parseAddresses6(text: string): string[] {
  const global = text.split("\n").filter((line) => / [0-9a-f]{2} 00 [0-9a-f]{2} /.test(line));
  return global.map((line) => shorten(line.slice(0, 32)));
}

/** As people write it. */
function shorten(digits: string): string {
  const groups = digits.match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/** The address that the default route leaves by comes first; from the text of /proc/PID/net/route. */
export function mainFirst(addresses: readonly string[], routes: string): string[] {
  const rows = routes.split("\n").map((line) => line.split("\t"));
  const main = rows.find(([, destination, , , , , , mask]) => destination === "00000000" && mask === "00000000")?.[0];
  const subnets = rows.filter(([name, destination]) => name === main && destination !== "00000000");
  const isMain = (address: string): boolean =>
    subnets.some(([, destination = "", , , , , , mask = ""]) => {
      const bits = Number.parseInt(mask, 16);
      return (littleEndian(address) & bits) === (Number.parseInt(destination, 16) & bits);
    });
  return [...addresses.filter(isMain), ...addresses.filter((address) => !isMain(address))];
}

/** As the routing table writes it. */
function littleEndian(address: string): number {
  return address.split(".").reduceRight((value, part) => value * 256 + Number(part), 0);
}
