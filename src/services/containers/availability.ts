import type { Container, EngineType } from "../../engines/engine.ts";
import type { PortMapping, Protocol } from "../../engines/container-spec.ts";
import type { EngineView } from "../../inventory/engine-view.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import type { PortClaim, TaskStore } from "../../storage/task-store.ts";
import { createMutex } from "../../util/concurrency.ts";
import { mayKnow, nameTaken, portTaken } from "../access/conflicts.ts";
import type { Owners } from "../access/owners.ts";
import type { User } from "../access/policy.ts";
import { portInUse, portOwner } from "../planning/ports.ts";

/** What a task would take: the key of the container that it makes, and ports of the host. */
export interface Claims {
  /** As `docker/c/web`; null: it makes none. */
  creates: string | null;
  /** In the order in which the request names them. */
  ports: readonly PortClaim[];
}

/** Whether a name or a port is taken, and by whom. */
export interface Taken {
  /** Throws `conflict`, which names who has it as far as the user may know that. */
  refuse(plan: Claims, user: User): Promise<void>;
  /** A container has it, running or not, or a task is to give it to one. */
  holdsPort(claim: PortClaim): Promise<boolean>;
  /** Drops the claims of an owner that no longer exists; true when it did. */
  releaseIfStale(owner: string): Promise<boolean>;
}

const probing = createMutex();

export function createTaken(
  inventory: Pick<Inventory, "view" | "views">,
  tasks: Pick<TaskStore, "claims" | "claimant" | "releaseClaims">,
  owners: Owners,
): Taken {
  async function isTold(user: User, { engine }: EngineView, container: Container): Promise<boolean> {
    return mayKnow(user, (await owners.of(engine.type, container, container.name)).owner);
  }

  /** The picture may be a moment behind: before refusing, the engine itself is asked. */
  async function refuseName(key: string, user: User): Promise<void> {
    const { view, name } = viewOf(key);
    const container = view?.byName(name) && (await view.engine.containers.getByName(name));
    if (!view || !container) return;
    const told = await isTold(user, view, container);
    throw nameTaken(name, told ? `A ${view.engine.type} container named ${name} exists already.` : undefined);
  }

  function viewOf(key: string): { view: EngineView | undefined; name: string } {
    const [type, , name] = key.split("/");
    return { view: inventory.view(type as EngineType), name: name ?? "" };
  }

  function publishedBy({ protocol, port }: PortClaim): { view: EngineView; container: Container } | undefined {
    for (const view of inventory.views()) {
      for (const container of view.containers())
        if (container.ports.some((mapping) => isPort(mapping, protocol, port))) return { view, container };
    }
    return undefined;
  }

  /** As `refuseName`: who removed a container a moment ago may have its port. */
  async function publisherNow(claim: PortClaim): Promise<ReturnType<typeof publishedBy>> {
    const published = publishedBy(claim);
    if (!published) return undefined;
    const { view, container } = published;
    // Of an engine that is away the picture is all there is.
    return (await view.engine.containers.getById(container.id).catch(() => container)) && published;
  }

  async function refusePort(claim: PortClaim, field: string, user: User): Promise<void> {
    const { protocol, port } = claim;
    const { view, container } = (await publisherNow(claim)) ?? {};
    if (view && container) {
      const told = await isTold(user, view, container);
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

  async function releaseIfStale(owner: string): Promise<boolean> {
    const { view, name } = viewOf(owner);
    if (!view?.available() || view.byName(name) || (await view.engine.containers.getByName(name))) return false;
    const held = (await tasks.claims()).some((claim) => claim.owner === owner);
    if (held) await tasks.releaseClaims(owner);
    return held;
  }

  return {
    releaseIfStale,
    async holdsPort(claim) {
      if (publishedBy(claim)) return true;
      const owner = await tasks.claimant(claim);
      return owner !== undefined && !(await releaseIfStale(owner));
    },
    async refuse(plan, user) {
      if (plan.creates) await refuseName(plan.creates, user);
      for (const [index, claim] of plan.ports.entries()) await refusePort(claim, `network.port[${index}]`, user);
    },
  };
}

function isPort(mapping: PortMapping, protocol: string, port: number): boolean {
  return mapping.host === port && mapping.protocol === protocol;
}
