import type { PortMapping, Protocol } from "../../engines/container-spec.ts";
import type { Container } from "../../engines/engine.ts";
import type { EngineView } from "../../inventory/engine-view.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import type { PortClaim, TaskStore } from "../../storage/task-store.ts";
import { parseResourceKey, type ResourceKey } from "../../tasks/resource-key.ts";
import { createMutex } from "../../util/concurrency.ts";
import { mayKnow, nameTaken, portTaken } from "../access/conflicts.ts";
import type { Owners } from "../access/owners.ts";
import type { User } from "../access/policy.ts";
import { portInUse, portOwner } from "../planning/ports.ts";

/** What a task would take: the key of the container that it makes, and ports of the host. */
export interface Claims {
  /** Key of the container; null: it makes none. */
  creates: ResourceKey | null;
  /** Ports, in the order in which the request names them. */
  ports: readonly PortClaim[];
}

/** Tells whether a name or a port is taken, and by whom. */
export interface Availability {
  /** Throws `conflict` if a name or a port is taken. It names who has it as far as the user may know that. */
  assertFree(plan: Claims, user: User): Promise<void>;
  /** Tells whether a container has the port, running or not, or a task is to give it to one. */
  holdsPort(claim: PortClaim): Promise<boolean>;
  /** Drops the port claims of a container that no longer exists. Returns whether it does not have this one any more. */
  releaseIfStale(claim: OwnedClaim): Promise<boolean>;
}

/** A port, and the key of the container that it is claimed for. */
type OwnedClaim = PortClaim & { owner: string };

const probing = createMutex();

/** Makes the functions that tell whether names and ports are free, from the engines, the store and the host. */
export function createAvailability(
  inventory: Pick<Inventory, "view" | "views">,
  tasks: Pick<TaskStore, "claimant" | "releaseClaims">,
  owners: Owners,
): Availability {
  async function mayBeTold(user: User, { engine }: EngineView, container: Container): Promise<boolean> {
    return mayKnow(user, (await owners.of(engine.type, container, container.name)).owner);
  }

  /** Throws if the name is taken. The view may be a moment behind, so the engine itself is asked before. */
  async function assertNameFree(key: string, user: User): Promise<void> {
    const { view, name } = viewOf(key);
    const container = view?.byName(name) && (await view.engine.containers.getByName(name));
    if (!view || !container) return;
    const told = await mayBeTold(user, view, container);
    throw nameTaken(name, told ? `A ${view.engine.type} container named ${name} exists already.` : undefined);
  }

  function viewOf(key: string): { view: EngineView | undefined; name: string } {
    const resource = parseResourceKey(key);
    return { view: inventory.views().find((view) => view.engine.type === resource?.scope), name: resource?.name ?? "" };
  }

  function publishedBy({ protocol, port }: PortClaim): { view: EngineView; container: Container } | undefined {
    for (const view of inventory.views()) {
      for (const container of view.containers())
        if (container.ports.some((mapping) => isPort(mapping, protocol, port))) return { view, container };
    }
    return undefined;
  }

  /** Returns who publishes the port, if the engine itself still says so: a container may have been removed a moment ago. */
  async function publisherNow(claim: PortClaim): Promise<ReturnType<typeof publishedBy>> {
    const published = publishedBy(claim);
    if (!published) return undefined;
    const { view, container } = published;
    // While an engine is away its view is all there is.
    return (await view.engine.containers.getById(container.id).catch(() => container)) && published;
  }

  async function assertPortFree(claim: PortClaim, field: string, user: User): Promise<void> {
    const { protocol, port } = claim;
    const { view, container } = (await publisherNow(claim)) ?? {};
    if (view && container) {
      const told = await mayBeTold(user, view, container);
      throw portTaken(
        `${port}/${protocol}`,
        told ? `${view.engine.type} container ${container.name}` : undefined,
        field,
      );
    }
    // One at a time: a port that is being tried looks taken to another that tries it.
    if (!(await probing(() => portInUse(protocol as Protocol, port)))) return;
    const program = (): Promise<string | undefined> => portOwner(protocol as Protocol, port);
    const holder = mayKnow(user, undefined) ? ((await program()) ?? "another program") : undefined;
    throw portTaken(`${port}/${protocol}`, holder, field);
  }

  async function releaseIfStale(claim: OwnedClaim): Promise<boolean> {
    const { view, name } = viewOf(claim.owner);
    if (!view?.available() || (await view.engine.containers.getByName(name))) return false;
    await tasks.releaseClaims(claim.owner);
    // The sweeper may have released it a moment before; that of a task at work stays.
    return (await tasks.claimant(claim)) !== claim.owner;
  }

  return {
    releaseIfStale,
    async holdsPort(claim) {
      if (await publisherNow(claim)) return true;
      const owner = await tasks.claimant(claim);
      return owner !== undefined && !(await releaseIfStale({ ...claim, owner }));
    },
    async assertFree(plan, user) {
      if (plan.creates) await assertNameFree(plan.creates, user);
      for (const [index, claim] of plan.ports.entries()) await assertPortFree(claim, `network.port[${index}]`, user);
    },
  };
}

function isPort(mapping: PortMapping, protocol: string, port: number): boolean {
  return mapping.host === port && mapping.protocol === protocol;
}
