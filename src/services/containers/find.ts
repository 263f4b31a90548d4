import type { Container, EngineType } from "../../engines/engine.ts";
import { AppError } from "../../errors.ts";
import type { EngineView } from "../../inventory/engine-view.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import type { Marks } from "./marks.ts";

/** The beginning of an id, as Docker shows it. No container is given such a name. */
const shortId = /^[0-9a-f]{12,63}$/;
/** Engines whose containers have ids that users shorten. In the others the name is the id. */
const hasShortIds: Readonly<Record<EngineType, boolean>> = { docker: true, lxc: false, lxd: false };

/**
 * Returns the container that a user's text means, as the engine was seen last: the one with this full id, else the one
 * with this exact name, else, with Docker, the one whose id begins so. Only the station reads such a text: an engine is
 * given full ids. Throws `conflict` when several are meant.
 */
export function findContainer(view: EngineView, text: string): Container | undefined {
  return view.byId(text) ?? orByShortId(view, text, view.byName(text));
}

/**
 * Makes a function that does what `findContainer` does, for the type of an engine in the place of its view. It also returns
 * `undefined` if this station has no such engine.
 */
export function createContainerFinder(inventory: Pick<Inventory, "view">) {
  return (type: EngineType, text: string): Container | undefined => {
    const view = inventory.view(type);
    return view && findContainer(view, text);
  };
}

/** Completes a look-up for which `named` was found by the exact name. Throws `conflict` when several are meant. */
export function orByShortId(view: EngineView, text: string, named: Container | undefined): Container | undefined {
  const { type } = view.engine;
  if (!hasShortIds[type] || !shortId.test(text)) return named;
  const others = [...view.containers()].filter(({ id }) => id.startsWith(text) && id !== named?.id);
  if (others.length + (named ? 1 : 0) > 1) throw ambiguous(type, text);
  return named ?? others[0];
}

/** Throws `not_found` with type and id. */
export function requireContainer(view: EngineView, text: string): Container {
  const container = findContainer(view, text);
  if (container) return container;
  throw unknownContainer(view.engine.type, text);
}

/** Returns the container that a task of this station made, whatever its name is by now; `name`: as the task named it. */
export function containerOfTask(
  view: EngineView,
  marks: Pick<Marks, "isOurs">,
  { name, task }: { name: string; task: number },
): Container | undefined {
  const named = view.byName(name);
  if (named && marks.isOurs(named.mark, task)) return named;
  for (const container of view.containers()) if (marks.isOurs(container.mark, task)) return container;
  return undefined;
}

/** Returns the error for a container that does not exist. */
export function unknownContainer(type: EngineType, text: string): AppError {
  return new AppError("not_found", `There is no ${type} container ${text}.`, { details: { type, id: text } });
}

function ambiguous(type: EngineType, text: string): AppError {
  const message = `Several ${type} containers have ${text} as their name or as the beginning of their id: give a full id.`;
  return new AppError("conflict", message, { details: { type, id: text } });
}
