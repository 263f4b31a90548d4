import type { Container } from "../../engines/engine.ts";
import type { ContainerSpec } from "../../engines/container-spec.ts";
import type { ContainerPlan } from "./container-plan.ts";

/** The containers that a create refers to, by the texts that the user wrote; `undefined` where there is none. */
export type OtherContainers = ReadonlyMap<string, Container | undefined>;

/** Returns the texts of a create that mean another container: it mounts their volumes, or links to them. */
export function textsOfOthers({ volumesFrom, links }: ContainerPlan): string[] {
  return [...new Set([...volumesFrom, ...Object.keys(links)])];
}

/** Returns what the engine is given in place of the user's texts: full ids. All the containers are there. */
export function byFullId(
  { volumesFrom, links }: ContainerPlan,
  others: ReadonlyMap<string, Container>,
): Pick<ContainerSpec, "links" | "volumesFrom"> {
  const idOf = (text: string): string => (others.get(text) as Container).id;
  return {
    links: Object.entries(links).map(([text, alias]) => ({ container: idOf(text), alias })),
    volumesFrom: [...new Set(volumesFrom.map(idOf))],
  };
}
