import type { Container, Engine, EngineType } from "../../engines/engine.ts";
import { AppError } from "../../errors.ts";
import type { EngineView } from "../../inventory/engine-view.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import { sleep } from "../../util/sleep.ts";
import { orByShortId, unknownContainer } from "./find.ts";
import type { ContainerPlace } from "../contract/services.ts";

export interface FoundContainer {
  /** The view of its engine. */
  view: EngineView;
  /** The container, as its engine has it now. */
  container: Container;
}

export type ContainerLookup = (place: ContainerPlace) => Promise<FoundContainer>;

/** Milliseconds after which an engine that has not answered is asked whether it lives. It has as long again for that. */
const patience = 900;
/** Milliseconds that an engine has for an answer if it lives. */
const longPatience = 20_000;

/** A full id of Docker. Names of LXC and LXD, which are ids too, may look like one. */
const fullId = /^[0-9a-f]{64}$/;

/**
 * Returns the container that a user's text means, as it is now: by its full id, its exact name, or the beginning of its
 * id. Throws `not_found` with type and id, `conflict` when several are meant, and `engine_unavailable` within 2 s when
 * the engine is away or hangs.
 */
export function createContainerLookup(inventory: Inventory): ContainerLookup {
  return async (place) => {
    const view = inventory.require(place.type);
    const over = new AbortController();
    try {
      const late = AbortSignal.timeout(longPatience);
      const asked = getExactly(view.engine, place.id, AbortSignal.any([over.signal, late]));
      asked.catch(() => undefined);
      if (!(await answersSoon(view.engine, asked, over.signal))) throw engineHangs(place.type);
      const exact = await asked.catch((error: unknown) =>
        Promise.reject(late.aborted ? engineHangs(place.type) : error),
      );
      const meant = exact?.id === place.id ? exact : orByShortId(view, place.id, exact);
      const container = meant === exact ? exact : meant && (await view.engine.containers.getById(meant.id));
      if (container) return { view, container };
    } finally {
      over.abort();
    }
    throw unknownContainer(place.type, place.id);
  };
}

async function getExactly({ containers }: Engine, text: string, signal: AbortSignal): Promise<Container | undefined> {
  const found = fullId.test(text) ? await containers.getById(text, signal) : undefined;
  return found ?? containers.getByName(text, signal);
}

async function answersSoon(engine: Engine, asked: Promise<unknown>, over: AbortSignal): Promise<boolean> {
  const answered = asked.then(isTrue, isTrue);
  if (await Promise.race([answered, sleep(patience, over)])) return true;
  const lives = engine.info().then(isTrue, () => false);
  return (await Promise.race([answered, lives, sleep(patience, over)])) ?? false;
}

const isTrue = (): true => true;

function engineHangs(type: EngineType): AppError {
  const sentence = `${type} does not answer at the moment; try again when it is back.`;
  return new AppError("engine_unavailable", sentence, { details: { engine: type } });
}
