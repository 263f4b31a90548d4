import { readFileSync } from "node:fs";

/** An IPv4 route. Addresses are numbers in network byte order: 10.0.3.0 is 0x0a000300. */
export interface Route {
  /** Name of the interface. */
  device: string;
  /** Address of the destination network. */
  network: number;
  /** Mask of the destination network; 0 for the default route. */
  mask: number;
}

/** Subnets that are tried if the wanted one is in use. */
const alternatives = [10, 172, 192].flatMap((first) =>
  Array.from({ length: 50 }, (_, index) => {
    if (first === 10) return `10.0.${index + 4}.0/24`;
    return first === 172 ? `172.30.${index}.0/24` : `192.168.${index + 200}.0/24`;
  }),
);

/**
 * Returns the wanted /24 if it is free, otherwise another /24 that is. A subnet is free if no route leads there, except for
 * the default route and routes of the interface `own`.
 */
export function freeSubnet(routes: readonly Route[], wanted: string, own: string): string {
  const foreign = routes.filter(({ device, mask }) => mask !== 0 && device !== own);
  const isFree = (subnet: string): boolean => !foreign.some((route) => overlaps(route, subnet));
  return [wanted, ...alternatives].find(isFree) ?? wanted;
}

/** Reads the IPv4 routes from `/proc/net/route`. */
export function readRoutes(): Route[] {
  const [, ...rows] = readFileSync("/proc/net/route", "utf8").trim().split("\n");
  return rows.map((row) => {
    const fields = row.split("\t");
    return { device: fields[0] ?? "", network: toNumber(fields[1]), mask: toNumber(fields[7]) };
  });
}

function overlaps({ network, mask }: Route, subnet: string): boolean {
  const start = subnet
    .replace(/\/24$/, "")
    .split(".")
    .reduce((sum, part) => sum * 256 + Number(part), 0);
  const common = (mask & 0xffffff00) >>> 0;
  return (network & common) >>> 0 === (start & common) >>> 0;
}

/** Parses an address of `/proc/net/route`: eight hex digits in the host's byte order, which is little-endian. */
function toNumber(hex = ""): number {
  return Buffer.from(hex.padStart(8, "0"), "hex").readUInt32LE();
}
