import type { Protocol } from "../engines/container-spec.ts";

/** A port of the host that is forwarded to a container. */
export interface Mapping {
  /** tcp or udp. */
  protocol: Protocol;
  /** Port of the host, 1 to 65535, on all its IPv4 addresses. */
  host: number;
  /** IPv4 address of the container, behind one of the bridges. */
  address: string;
  /** Port of the container, 1 to 65535. */
  port: number;
}

/** What the kernel's table should contain. */
export interface PortRules {
  /** At most one for each port of the host. */
  mappings: readonly Mapping[];
  /** Names of the bridges that the mappings lead through. */
  bridges: readonly string[];
}

/** The rules of a host without forwarded ports. */
export const noRules: PortRules = { mappings: [], bridges: [] };

/** Returns the key of a port of the host, such as "tcp 8080". */
export function portKey({ protocol, host }: Pick<Mapping, "protocol" | "host">): string {
  return `${protocol} ${host}`;
}

/** Indexes mappings by their port of the host. */
export function byKey(mappings: readonly Mapping[]): Map<string, Mapping> {
  return new Map(mappings.map((mapping) => [portKey(mapping), mapping]));
}
