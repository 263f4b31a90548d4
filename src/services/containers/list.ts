import type { ContainerInfo } from "../../api/container-info.ts";
import { engineTypes, type Container, type EngineType } from "../../engines/engine.ts";
import { AppError } from "../../errors.ts";
import type { EngineView } from "../../inventory/engine-view.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import type { ContainerNumbers } from "../../numbers/container-sampler.ts";
import type { LiveNumbers } from "../../numbers/live-numbers.ts";
import { containerInfo } from "./container-info.ts";
import { numbersKey } from "./numbers.ts";
import { findContainer, requireContainer } from "./find.ts";
import type { Owners } from "../access/owners.ts";
import { authorize, onlyOf } from "../access/policy.ts";
import type { Caller, ContainerListService } from "../contract/services.ts";
import type { Sessions } from "../accounts/sessions.ts";

export interface ContainerListOptions {
  /** Tells who calls. */
  sessions: Sessions;
  /** The engines and what is known of their containers. */
  inventory: Inventory;
  /** CPU, memory and traffic of containers. */
  numbers: LiveNumbers;
  /** Tells whose a container is. */
  owners: Owners;
}

/** The last answer about a container, with what it was made from. */
interface Described {
  known: ContainerNumbers | undefined;
  away: boolean;
  info: ContainerInfo;
}

/** Makes the service that lists the containers of all engines with their live numbers, from memory. */
export function createContainerList(options: ContainerListOptions): ContainerListService {
  const { sessions, inventory, numbers, owners } = options;

  /** INVARIANT: containers and numbers are never changed, only replaced, so the same objects have the same description. */
  const lastDescriptions = new WeakMap<Container, Described>();

  /** Returns a container's description: the same frozen object as long as nothing has changed. */
  function describe({ engine, available }: EngineView, container: Container): ContainerInfo {
    const known = numbers.get(numbersKey(engine.type, container.id), container.pid);
    const away = !available();
    const before = lastDescriptions.get(container);
    if (before && before.known === known && before.away === away) return before.info;
    const info = containerInfo(engine.type, container, known);
    if (away) info.unavailable = true;
    lastDescriptions.set(container, { known, away, info: Object.freeze(info) });
    return info;
  }

  /** Returns all containers, by engine in the order of QNAP's documents, then by name. */
  function all(): { view: EngineView; container: Container }[] {
    return engineTypes.flatMap((type) => {
      const view = inventory.view(type);
      return view ? [...view.containers()].sort(byName).map((container) => ({ view, container })) : [];
    });
  }

  async function isOf(user: string | undefined, { engine }: EngineView, container: Container): Promise<boolean> {
    return user === undefined || (await owners.of(engine.type, container, container.name)).owner === user;
  }

  async function allOf(user: string | undefined): Promise<{ view: EngineView; container: Container }[]> {
    const found = all();
    if (user === undefined) return found;
    const own = await Promise.all(found.map(({ view, container }) => isOf(user, view, container)));
    return found.filter((_one, index) => own[index]);
  }

  async function permitted(caller: Caller, type: EngineType, idOrName: string) {
    const user = sessions.authenticate(caller);
    authorize(user, "container:get");
    const found = named(type, idOrName);
    if (user.role !== "admin") authorize(user, "container:get", [await owners.of(type, found.container, idOrName)]);
    return found;
  }

  function named(type: EngineType, idOrName: string): { view: EngineView; container: Container } {
    const view = inventory.require(type);
    return { view, container: requireContainer(view, idOrName) };
  }

  return {
    async list(caller) {
      const only = onlyOf(sessions.authenticate(caller), "container:list");
      numbers.watch();
      return (await allOf(only)).map(({ view, container }) => describe(view, container));
    },
    async get(caller, type, idOrName) {
      const { view, container } = await permitted(caller, type, idOrName);
      numbers.watch();
      return describe(view, container);
    },
    async find(caller, name) {
      const only = onlyOf(sessions.authenticate(caller), "container:get");
      numbers.watch();
      for (const type of engineTypes) {
        const view = inventory.view(type);
        const container = view && findContainer(view, name);
        if (view && container && (await isOf(only, view, container)))
          return describe(inventory.require(type), container);
      }
      throw new AppError("not_found", `There is no container ${name}.`, { details: { id: name } });
    },
    async idOf(caller, type, name) {
      return (await permitted(caller, type, name)).container.id;
    },
  };
}

function byName(a: Container, b: Container): number {
  return a.name < b.name ? -1 : 1;
}
