import { isIPv4 } from "node:net";

import type { Container } from "../engines/engine.ts";
import { byKey, portKey, type Mapping, type PortRules } from "./rules.ts";

export interface Wanted {
  rules: PortRules;
  /** What cannot be: one sentence for a person each, by the container's name. */
  faults: ReadonlyMap<string, string>;
}

/** What the kernel takes as an interface's name, without what has another meaning in a path or in the table. */
const interfaceName = /^(?!\.{1,2}$|all$|default$)[A-Za-z0-9_.-]{1,15}$/;

/** The rules for the ports of this station's containers. A port that two of them have is the older one's. */
export function wantedRules(containers: Iterable<Container>, station: string): Wanted {
  const mappings = new Map<string, Mapping>();
  const bridges = new Set<string>();
  const faults = new Map<string, string>();
  const ours = [...containers].filter(({ mark, ports }) => mark?.station === station && ports.length > 0);
  for (const container of ours.sort(byAge)) {
    const { name, forward } = container;
    const fault = forwardFault(container);
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

/** The same, and of `earlier` what nobody wants otherwise. */
export function mergeRules(rules: PortRules, earlier: PortRules): PortRules {
  const mappings = [...byKey([...earlier.mappings, ...rules.mappings]).values()];
  return { mappings, bridges: [...new Set([...rules.bridges, ...earlier.bridges])].sort() };
}

/** Why its ports cannot be forwarded. */
function forwardFault({ name, forward }: Container): string | undefined {
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
