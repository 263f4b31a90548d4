import type { Container } from "../engines/engine.ts";
import { AppError } from "../errors.ts";
import type { EngineView } from "../inventory/engine-view.ts";

/** Docker takes the beginning of an id; so many digits are one that was written down, and no name. */
const shortId = /^[0-9a-f]{12,63}$/;

/** Throws `not_found` with type and id. */
export function requireContainer(view: EngineView, idOrName: string): Container {
  const container = view.byId(idOrName) ?? view.byName(idOrName) ?? byBeginning(view, idOrName);
  if (container) return container;
  const { type } = view.engine;
  throw new AppError("not_found", `There is no ${type} container ${idOrName}.`, { details: { type, id: idOrName } });
}

/** Docker's by the beginning of its id, when only one has it. */
export function byBeginning(view: EngineView, text: string): Container | undefined {
  if (view.engine.type !== "docker" || !shortId.test(text)) return undefined;
  const found = [...view.containers()].filter(({ id }) => id.startsWith(text));
  return found.length === 1 ? found[0] : undefined;
}
