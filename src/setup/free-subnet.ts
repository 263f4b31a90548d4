import { readFileSync } from "node:fs";
import { kernelRouteAddress, prefixLengthOf } from "../util/addresses/ipv4.ts";
import { isOverlapping, type Subnet } from "../util/addresses/subnet.ts";

/** An IPv4 route to a network; its prefix has length 0 in the default route. */
export interface Route extends Subnet {
  /** Name of the interface. */
  device: string;
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
  const foreign = routes.filter(({ device, length }) => length !== 0 && device !== own);
  const isFree = (subnet: string): boolean => {
    const tried = { address: subnet.replace(/\/24$/, ""), length: 24 };
    return !foreign.some((route) => isOverlapping(route, tried));
  };
  return [wanted, ...alternatives].find(isFree) ?? wanted;
}

/** Reads the IPv4 routes from `/proc/net/route`. */
export function readRoutes(): Route[] {
  const [, ...rows] = readFileSync("/proc/net/route", "utf8").trim().split("\n");
  return rows.map((row) => {
    const [device = "", destination = "", , , , , , mask = ""] = row.split("\t");
    const length = prefixLengthOf(kernelRouteAddress(mask)) ?? 32;
    return { device, address: kernelRouteAddress(destination), length };
  });
}
