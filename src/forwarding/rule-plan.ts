import { isIPv4 } from "node:net";

import type { Container } from "../engines/engine.ts";
import { byKey, portKey, type Mapping, type PortRules } from "./rules.ts";

export interface RulePlan {
  /** The rules for all ports that can be forwarded. */
  rules: PortRules;
  /** Why ports of a container cannot be forwarded, by the container's name: one sentence for a person. */
  faults: ReadonlyMap<string, string>;
}

/** Matches names of interfaces, except for those that have another meaning in a path of `/proc` or in the table. */
const interfaceName = /^(?!\.{1,2}$|all$|default$)[A-Za-z0-9_.-]{1,15}$/;

/** Plans the rules for the ports of this station's containers. If two containers have one port, the older one gets it. */
export function planRules(containers: Iterable<Container>, station: string): RulePlan {
  const mappings = new Map<string, Mapping>();
  const bridges = new Set<string>();
  const faults = new Map<string, string>();
  const ours = [...containers].filter(({ mark, ports }) => mark?.station === station && ports.length > 0);
  for (const container of ours.sort(byAge)) {
    const { name, forward } = container;
    const fault = faultOf(container);
    if (fault !== undefined) faults.set(name, fault);
    if (fault !== undefined || !forward) continue;
    for (const { protocol, host, container: port } of container.ports) {
      const mapping = { protocol, host, address: forward.address, port };
      const key = portKey(mapping);
      if (!isPort(host) || !isPort(port)) faults.set(name, `Container ${name} has a port that is none.`);
      else if (mappings.has(key))
        faults.set(name, `Container ${name}: port ${host}/${protocol} is another container's.`);
      else mappings.set(key, mapping);
    }
    bridges.add(forward.bridge);
  }
  return { rules: { mappings: [...mappings.values()], bridges: [...bridges].sort() }, faults };
}

/** Adds to `rules` the mappings of `earlier` whose ports are not in `rules`. */
export function mergeRules(rules: PortRules, earlier: PortRules): PortRules {
  const mappings = [...byKey([...earlier.mappings, ...rules.mappings]).values()];
  return { mappings, bridges: [...new Set([...rules.bridges, ...earlier.bridges])].sort() };
}

/** Returns why a container's ports cannot be forwarded, or undefined if they can. */
function faultOf({ name, forward }: Container): string | undefined {
  if (!forward) return `Container ${name} has no address of its own, so that its ports cannot be forwarded.`;
  if (!isIPv4(forward.address)) return `Container ${name} has no IPv4 address, so that its ports cannot be forwarded.`;
  if (!interfaceName.test(forward.bridge))
    return `Container ${name} is behind no bridge that ports can be forwarded to.`;
  return undefined;
}

function byAge(a: Container, b: Container): number {
  return (a.mark?.task ?? 0) - (b.mark?.task ?? 0) || a.name.localeCompare(b.name, "en");
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value < 65536;
}
