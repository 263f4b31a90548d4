import { AppError, invalid } from "../../errors.ts";
import type { Container, ContainerSpec, Containers, Images } from "../engine.ts";
import { createMutex } from "../../util/concurrency.ts";
import { hostFacts } from "../shared/host-devices.ts";
import { fixedAddress, profileCard } from "./network/profile-card.ts";
import { createBody, type CreateFacts } from "./create/create-body.ts";
import type { LxdEvents } from "./events.ts";
import { cancelled, createFailure, reasonOf } from "./failures.ts";
import type { LxdHttp } from "./client/http.ts";
import { findInstance, type Instance, isInstanceName, isUp, looksUnfinished, toContainer } from "./client/instance.ts";
import { execIn } from "./exec/exec.ts";
import { createLifecycle } from "./lifecycle/lifecycle.ts";
import { createInspect } from "./inspect/inspect.ts";
import { createMoving, isCopy, type Moving } from "./rootfs/move.ts";
import type { Operations } from "./client/operations.ts";
import { createInitProcesses } from "./process/init-process.ts";
import { sizedRoot } from "./rootfs/pool.ts";
import { createReshaping, type LxdReshaping } from "./reshape/reshape.ts";

interface Deps {
  http: LxdHttp;
  operations: Operations;
  events: LxdEvents;
  images: Images;
}

const pidsAtOnce = 4;
const addressTries = 5;

export type LxdContainers = Containers & Pick<LxdReshaping, "restore"> & Pick<Moving, "isUnderWay">;

export function createContainers({ http, operations, events, images }: Deps): LxdContainers {
  const pids = createInitProcesses(http);
  const { insist, ...lifecycle } = createLifecycle(http, operations);
  const moving = createMoving(http, operations);
  const addressing = createMutex();

  async function list(signal?: AbortSignal): Promise<Container[]> {
    // Who listens first and lists then misses nothing.
    await events.listening();
    const all = await http.get<Instance[]>("/1.0/instances?recursion=1&instance-type=container", signal);
    const instances = await moving.settled(all);
    pids.retain(instances);
    const queue = instances.values();
    const found = new Map<string, Container>();
    async function work(): Promise<void> {
      for (const instance of queue) {
        const container = await view(instance, signal);
        if (container) found.set(container.id, container);
      }
    }
    await Promise.all(Array.from({ length: pidsAtOnce }, work));
    return instances.flatMap(({ name }) => found.get(name) ?? []);
  }

  async function getById(name: string, signal?: AbortSignal): Promise<Container | undefined> {
    const moves = moving.isUnderWay(name);
    const own = await findInstance(http, name, signal);
    // It may just have arrived.
    const instance = own ?? (moves || moving.isUnderWay(name) ? await moving.find(name, signal) : undefined);
    // The container itself is there or will be; a copy is nobody's.
    return instance && !isCopy(instance) ? view(instance, signal) : undefined;
  }

  async function view(instance: Instance, signal?: AbortSignal): Promise<Container | undefined> {
    if (looksUnfinished(instance) && (await discard(instance.name))) return undefined;
    return toContainer(instance, isUp(instance) ? await pids.get(instance, signal) : 0);
  }

  /**
   * What is left of a creation that LXD did not survive is no container: it goes when it is seen. An operation is there
   * longer than its container is unfinished, so without one, what is still unfinished stays so.
   */
  async function discard(name: string): Promise<boolean> {
    if (await operations.isBusy(name)) return false;
    const again = await findInstance(http, name);
    if (!again) return true;
    if (!looksUnfinished(again)) return false;
    await lifecycle.remove(name);
    return true;
  }

  async function create(spec: ContainerSpec, signal?: AbortSignal): Promise<string> {
    if (signal?.aborted) throw cancelled();
    if (!isInstanceName(spec.name)) {
      throw invalid("name", "must begin with a letter and have only letters, digits and - for LXD, at most 63.");
    }
    const image = await images.get(spec.image, signal);
    if (!image) throw new AppError("not_found", `LXD has no image ${spec.image}.`);
    const [host, card, shift] = await Promise.all([hostFacts(spec), profileCard(http), canShift()]);
    const root = spec.limits.size === undefined ? {} : await sizedRoot(http, spec.limits.size);
    const make = () => createWith(spec, { ...host, fingerprint: image.id, card, root, shift }, signal);
    // An address is free until its container is there: one at a time.
    return spec.ports.length > 0 ? addressing(make) : make();
  }

  async function createWith(
    spec: ContainerSpec,
    facts: Omit<CreateFacts, "address">,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      const address = await fixedAddress(http, facts.card, spec, attempt);
      const body = createBody(spec, { ...facts, address });
      try {
        await operations.run({ method: "POST", path: "/1.0/instances", body }, signal);
        return spec.name;
      } catch (error) {
        const lostRace = address !== undefined && reasonOf(error).includes(address);
        if (!lostRace || attempt === addressTries) throw createFailure(error, spec.name);
      }
    }
  }

  async function canShift(): Promise<boolean> {
    const { environment } = await http.get<{ environment: Record<string, Record<string, string> | undefined> }>("/1.0");
    const { kernel_features: kernel, lxc_features: lxc } = environment;
    return kernel?.["idmapped_mounts"] === "true" && lxc?.["idmapped_mounts_v2"] === "true";
  }

  const exec: Containers["exec"] = (name, request, signal) => execIn({ http, operations }, name, request, signal);
  return {
    list,
    getById,
    getByName: getById,
    create,
    ...lifecycle,
    ...createInspect(http, getById),
    isUnderWay: moving.isUnderWay,
    exec,
    ...createReshaping({ http, operations, moving, lifecycle: { ...lifecycle, insist }, exec, addressing }),
    commit: () => Promise.reject(new AppError("unsupported", "LXD makes no image of a container here.")),
  };
}
