import { readFileSync } from "node:fs";

/** An IPv4 route; addresses as numbers. */
export interface Route {
  device: string;
  network: number;
  mask: number;
}

/** Other subnets to try, when the wanted one is in use. */
const others = [10, 172, 192].flatMap((first) =>
  Array.from({ length: 50 }, (_, index) => {
    if (first === 10) return `10.0.${index + 4}.0/24`;
    return first === 172 ? `172.30.${index}.0/24` : `192.168.${index + 200}.0/24`;
  }),
);

/** The wanted /24, or another one that no route leads to, but for the default route and those of `own`. */
export function freeSubnet(routes: readonly Route[], wanted: string, own: string): string {
  const foreign = routes.filter(({ device, mask }) => mask !== 0 && device !== own);
  const isFree = (subnet: string): boolean => !foreign.some((route) => overlaps(route, subnet));
  return [wanted, ...others].find(isFree) ?? wanted;
}

export function readRoutes(): Route[] {
  const [, ...rows] = readFileSync("/proc/net/route", "utf8").trim().split("\n");
  return rows.map((row) => {
    const fields = row.split("\t");
    return { device: fields[0] ?? "", network: fromKernel(fields[1]), mask: fromKernel(fields[7]) };
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

/** Eight hex digits in the machine's own order, that of all machines Gantry runs on: the last byte comes first. */
function fromKernel(hex = ""): number {
  return Buffer.from(hex.padStart(8, "0"), "hex").readUInt32LE();
}
