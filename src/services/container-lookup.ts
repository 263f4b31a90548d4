import type { Container, EngineType } from "../engines/engine.ts";
import { AppError } from "../errors.ts";
import type { EngineView } from "../inventory/engine-view.ts";
import type { Inventory } from "../inventory/inventory.ts";
import type { ContainerPlace } from "./services.ts";

export interface FoundContainer {
  view: EngineView;
  container: Container;
}

export type ContainerLookup = (place: ContainerPlace) => Promise<FoundContainer>;

/** Who asks for a container of an engine that is away is told so within 2 s. */
const within = 1_800;

/** A container by its id or its name, as it is now. Throws `not_found` with type and id. */
export function createContainerLookup(inventory: Inventory): ContainerLookup {
  return async (place) => {
    const { type, id } = place;
    const view = inventory.require(type);
    const late = AbortSignal.timeout(within);
    const container = await view.engine.containers.get(id, late).catch((error: unknown) => {
      if (!late.aborted) throw error;
      return remembered(view, id) ?? Promise.reject(hangs(type));
    });
    if (!container) throw unknownContainer(place);
    return { view, container };
  };
}

/** An engine that is slow at the moment has been seen with it. */
function remembered(view: EngineView, id: string): Container | undefined {
  return view.byName(id) ?? [...view.containers()].find((container) => container.id === id);
}

function hangs(type: EngineType): AppError {
  const sentence = `${type} does not answer at the moment; try again when it is back.`;
  return new AppError("engine_unavailable", sentence, { details: { engine: type } });
}

export function unknownContainer({ type, id }: ContainerPlace): AppError {
  return new AppError("not_found", `There is no ${type} container ${id}.`, { details: { type, id } });
}
