import type { CreateRequest } from "../../api/create.ts";
import type { Container, Engine, EngineType } from "../../engines/engine.ts";
import type { Mount, NetworkMode, OwnerMark } from "../../engines/container-spec.ts";
import { deviceNames, findDevice } from "../../engines/device-table.ts";
import { readHostFacts } from "../../engines/shared/host-devices.ts";
import { AppError, hasCode } from "../../errors.ts";
import type { Handler, TaskContext } from "../../tasks/handler.ts";
import { asksOfCreate } from "../access/task-authorization.ts";
import type { ContainerLookup } from "../containers/lookup.ts";
import { planContainer, type ContainerPlan } from "../planning/container-plan.ts";
import { assertMounted, assertVisible } from "../containers/mount-guard.ts";
import { byFullId, textsOfOthers } from "../planning/other-containers.ts";
import { ensureImage } from "./image.ts";
import type { KindOptions } from "./options.ts";

/**
 * Makes a container from an image, which is pulled if need be, and starts it. The pivot is the end: until then a failure
 * or a cancel removes the container and the mounts of its folders; the image stays, as a cache.
 */
export function createHandler(options: KindOptions): Handler {
  const { inventory, shares, images, marks } = options;
  return {
    async run(context) {
      const request = context.params as CreateRequest;
      const view = inventory.require(request.type);
      const { engine } = view;
      const planned = planContainer(request, shares);
      const source = await images.resolve(request);
      const others = await findOthers(options.lookup, request.type, planned);
      const asks = asksOfCreate({ request, plan: planned, source, others });
      const user = await options.authorize(context.user, "container:create", asks);
      const plan = { ...planned, network: await options.cards.find(engine, planned) };
      refuseRemote(engine, plan);
      const image = await ensureImage(options, context, { engine, source, refresh: false });
      if (user.role !== "admin") await protectShares(options, plan);
      const sources = await pinFolders(options, context, engine, plan);
      const refuseCard = () => options.cards.refuse(plan, user);
      const making: Making = { engine, plan, others, sources, refuseCard, mark: marks.of(context.id), image };
      context.progress(90, "Create container");
      const undo = { op: "remove_container", args: { engine: engine.type, name: plan.name } };
      const made = await context.step("container", undo, (repeated) => makeContainer(making, repeated));
      context.progress(95, "Start container");
      const id = await context.step("start", null, (repeated) => startContainer(making, made, repeated));
      if (plan.network.mode === "bridge") {
        context.progress(98, "Connect container");
        await context.step("network", null, () => connect(engine, id, context.signal));
      }
      // So that whoever sees the task completed finds the container's name and ports taken.
      await view.refresh(id);
      const seen = view.byId(id);
      if (seen) await options.settlePorts(engine, seen);
      return { result: 0, error: null, notice: await missingDevices(engine, plan) };
    },
  };
}

/** Throws `not_found` when one is not there. */
async function findOthers(lookup: ContainerLookup, type: EngineType, plan: ContainerPlan) {
  const others = new Map<string, Container>();
  for (const text of textsOfOthers(plan)) others.set(text, (await lookup({ type, id: text })).container);
  return others;
}

/** A folder or an interface of this host means nothing to an engine elsewhere. */
function refuseRemote({ capabilities, type }: Engine, plan: ContainerPlan): void {
  if (capabilities.local || (plan.mounts.length === 0 && plan.network.mode !== "bridge")) return;
  throw new AppError("unsupported", `volume.host and network.mode bridge need a ${type} on this host.`);
}

/**
 * Returns a sentence that names the devices that the container was given and cannot have, because the host has no node.
 * Of LXD nothing is said: the documented create gives a device that hosts lack, and its task ends with an empty detail.
 */
async function missingDevices({ capabilities, type }: Engine, plan: ContainerPlan): Promise<string | undefined> {
  if (capabilities.makesDeviceNodes || type === "lxd" || plan.privileged || plan.devices.length === 0) return undefined;
  const { nodes } = await readHostFacts(plan);
  const there = new Set(nodes.map(({ kind, major }) => `${kind}${major}`));
  const missing = plan.devices.filter(({ majors }) => !majors.some(({ kind, major }) => there.has(`${kind}${major}`)));
  const names = deviceNames.filter((name) => missing.some(({ majors }) => majors === findDevice(name)));
  return names.length > 0 ? `This host has no node of ${names.join(", ")}: the container has none either.` : undefined;
}

/** A container that has ended by now needs no address. */
async function connect(engine: Engine, id: string, signal: AbortSignal): Promise<void> {
  const container = await engine.containers.getById(id, signal);
  if (container && container.pid > 0) await engine.attachNetwork(container, signal);
}

/** What a container of an operator leaves in a share must not make an account of the host root. */
async function protectShares({ protection }: KindOptions, { mounts }: ContainerPlan): Promise<void> {
  const written = mounts.filter(({ readOnly }) => !readOnly).map(({ folder }) => folder.share);
  for (const share of new Set(written)) await protection.protect(share);
}

/** Mounts the plan's folders where no container can exchange them. Returns where, in the order of the plan. */
async function pinFolders(
  { pins }: KindOptions,
  context: TaskContext,
  engine: Engine,
  { mounts }: ContainerPlan,
): Promise<readonly string[]> {
  if (mounts.length === 0) return [];
  const places = mounts.map(({ folder }) => folder);
  const undo = { op: "release_folders", args: { engine: engine.type } };
  const sources = await context.step("folders", undo, () => pins.pin(engine.type, context.id, places));
  // A host that was rebooted since that step has no mounts any more.
  await pins.restore(sources);
  await assertVisible(engine, sources);
  return sources;
}

interface Making {
  engine: Engine;
  plan: ContainerPlan & { network: NetworkMode };
  /** What the user calls another container -> the one that he may use. */
  others: ReadonlyMap<string, Container>;
  /** Paths of the host that the plan's mounts are given from, in their order. */
  sources: readonly string[];
  /** Throws `conflict` when somebody has an address of its card. */
  refuseCard: () => Promise<void>;
  mark: OwnerMark;
  image: string;
}

async function makeContainer(making: Making, repeated: boolean): Promise<string> {
  const { engine, plan, others, sources, mark, image } = making;
  const earlier = repeated ? await ours(engine, plan.name, mark) : undefined;
  if (earlier) return earlier.id;
  await making.refuseCard();
  const mounts = plan.mounts.map(({ target, readOnly }, index): Mount => ({
    source: sources[index] as string,
    target,
    readOnly,
  }));
  try {
    return await engine.containers.create({ ...plan, ...byFullId(plan, others), mounts, mark, image });
  } catch (error) {
    // The engine may have finished a call of ours whose answer was lost.
    const made = hasCode(error, "conflict") ? await ours(engine, plan.name, mark) : undefined;
    if (made) return made.id;
    throw error;
  }
}

/** Answers the id of what runs. A container whose first start was cut off may be beyond starting: it is made anew. */
async function startContainer(making: Making, made: string, repeated: boolean): Promise<string> {
  const { engine, plan, mark } = making;
  const earlier = repeated ? await ours(engine, plan.name, mark) : undefined;
  let id = earlier?.id ?? made;
  try {
    // What ran and has ended since is done: its command must not run twice.
    if (!earlier?.ended) await engine.containers.start(id);
  } catch (error) {
    if (!repeated || hasCode(error, "engine_unavailable")) throw error;
    await engine.containers.remove(id);
    id = await makeContainer(making, true);
    await engine.containers.start(id);
  }
  await assertMounted(engine, id, making.sources);
  return id;
}

async function ours(engine: Engine, name: string, mark: OwnerMark): Promise<Container | undefined> {
  const found = await engine.containers.getByName(name);
  return found?.mark?.station === mark.station && found.mark.task === mark.task ? found : undefined;
}
