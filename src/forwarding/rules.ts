import type { Protocol } from "../engines/engine.ts";

/** One port of the host, and where it leads. */
export interface Mapping {
  protocol: Protocol;
  host: number;
  /** IPv4 address of the container, behind one of the bridges. */
  address: string;
  port: number;
}

/** All that the table says. */
export interface PortRules {
  mappings: readonly Mapping[];
  /** Names of the bridges that the mappings lead through. */
  bridges: readonly string[];
}

export const noRules: PortRules = { mappings: [], bridges: [] };

/** A port of the host is one container's: "tcp 8080". */
export function portKey({ protocol, host }: Pick<Mapping, "protocol" | "host">): string {
  return `${protocol} ${host}`;
}

export function byKey(mappings: readonly Mapping[]): Map<string, Mapping> {
  return new Map(mappings.map((mapping) => [portKey(mapping), mapping]));
}
