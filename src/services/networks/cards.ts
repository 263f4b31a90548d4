import type { Engine, EngineType } from "../../engines/engine.ts";
import type { NetworkMode } from "../../engines/container-spec.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import { type CardConflicts, createCardConflicts, type CardConflictOptions } from "./card-conflicts.ts";
import type { ContainerPlan } from "../planning/container-plan.ts";
import { findNetwork } from "./network-names.ts";
import type { User } from "../access/policy.ts";

/** The network cards of containers that are to be made. */
export interface Cards extends CardConflicts {
  /** Returns the network that is meant; throws as `findNetwork`. */
  find(engine: Engine, plan: ContainerPlan): Promise<NetworkMode>;
  /** Throws as `find` and as `refuse`. */
  check(type: EngineType, plan: ContainerPlan, user: User): Promise<void>;
}

/** Makes the functions that find networks and check the addresses of network cards. */
export function createCards(options: CardConflictOptions & { inventory: Pick<Inventory, "views" | "require"> }): Cards {
  const { refuse } = createCardConflicts(options);
  return {
    refuse,
    find: findNetwork,
    async check(type, plan, user) {
      const network = await findNetwork(options.inventory.require(type).engine, plan);
      await refuse({ network, macAddress: plan.macAddress }, user);
    },
  };
}
