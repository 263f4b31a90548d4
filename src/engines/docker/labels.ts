import type { OwnerMark } from "../container-spec.ts";

/** The label that says which task made a container: STATION/TASK. */
export const taskLabel = "gantry.task";
/** The label that says which network a container was made in, by its name. */
export const networkLabel = "gantry.network";

/** Returns the mark in a container's label; undefined when the label is no mark. */
export function readMark(label: string | undefined): OwnerMark | undefined {
  const parts = /^([0-9a-zA-Z-]{1,64})\/(\d{1,15})$/.exec(label ?? "");
  return parts?.[1] && parts[2] ? { station: parts[1], task: Number(parts[2]) } : undefined;
}
