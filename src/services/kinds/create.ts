import { CreateRequest } from "../../api/create.ts";
import { deviceNames, findDevice } from "../../engines/device-table.ts";
import type { Container, Engine, EngineType } from "../../engines/engine.ts";
import { readHostFacts } from "../../engines/shared/host-devices.ts";
import { AppError, invalid } from "../../errors.ts";
import type { TaskResult } from "../../tasks/handler.ts";
import type { ResourceKey } from "../../tasks/resource-key.ts";
import { demandsOfCreate } from "../access/task-authorization.ts";
import type { ContainerLookup } from "../containers/lookup.ts";
import { assertVisible } from "../containers/mount-guard.ts";
import { planContainer, type ContainerPlan } from "../planning/container-plan.ts";
import { refuseUnfit } from "../planning/engine-support.ts";
import { textsOfOthers } from "../planning/other-containers.ts";
import { addressKey, containerKey, imageKeys } from "../planning/resource-keys.ts";
import type { KindDependencies } from "./dependencies.ts";
import { ensureImage } from "./ensure-image.ts";
import { makeContainer, type Making, startContainer } from "./make-container.ts";
import { storedRequest } from "./stored-request.ts";
import { defineTaskKind, type TaskRun } from "./task-kind.ts";
import { exclusiveLocks, type PlanDependencies, sharedLocks, type TaskPlan } from "./task-plan.ts";
import { releaseFolders, removeContainer } from "./undo.ts";

/**
 * Makes a container from an image, which is pulled if need be, and starts it. The pivot is the end: until then a failure
 * or a cancel removes the container and the mounts of its folders; the image stays, as a cache.
 */
export const create = defineTaskKind({
  kind: "create",
  category: "create",
  verb: "container:create",
  lane: "heavy",
  undo: [removeContainer, releaseFolders],
  request: storedRequest(CreateRequest),
  plan: planCreate,
  run: runCreate,
});

async function planCreate(request: CreateRequest, dependencies: PlanDependencies): Promise<TaskPlan> {
  const { shares, images, capabilities, findContainer, unforwardable } = dependencies;
  const plan = planContainer(request, shares);
  const can = capabilities(request.type);
  if (can) refuseUnfit(request, can);
  const reason = unforwardable();
  if (can && !can.publishedPorts && plan.ports.length > 0 && reason !== undefined)
    throw invalid("network.port", `cannot be given for type ${request.type}. ${reason}`);
  const source = await images.resolve(request);
  const key = containerKey(request.type, request.name);
  const texts = textsOfOthers(plan);
  const others = new Map(texts.map((text) => [text, findContainer(request.type, text)]));
  const otherKeys = new Set(texts.map((text) => containerKey(request.type, others.get(text)?.name ?? text)));
  otherKeys.delete(key);
  return {
    engines: [request.type],
    name: request.name,
    container: { type: request.type, plan },
    locks: [
      ...exclusiveLocks([key, ...addressKeys(plan)]),
      ...sharedLocks([...imageKeys(request.type, source.references), ...otherKeys]),
    ],
    creates: key,
    ports: plan.ports.map(({ host, protocol }) => ({ protocol, port: host })),
    demands: demandsOfCreate({ request, plan, source, others }),
  };
}

/** Two containers that are given one address are made one after the other, so that the second sees the first. */
function addressKeys({ macAddress, network }: ContainerPlan): ResourceKey[] {
  const lan = network.mode === "bridge" || network.mode === "named" ? network.address : undefined;
  const [address] = lan?.by === "static" ? lan.address.split("/") : [];
  return [
    ...(macAddress === undefined ? [] : [addressKey("mac", macAddress)]),
    ...(address === undefined ? [] : [addressKey("address", address)]),
  ];
}

async function runCreate(task: TaskRun<CreateRequest>): Promise<TaskResult> {
  const { request, context, dependencies } = task;
  const { inventory, shares, images, marks, cards } = dependencies;
  const view = inventory.require(request.type);
  const { engine } = view;
  const planned = planContainer(request, shares);
  const source = await images.resolve(request);
  const others = await findOthers(dependencies.lookup, request.type, planned);
  const demands = demandsOfCreate({ request, plan: planned, source, others });
  const user = await dependencies.authorize(context.user, "container:create", demands);
  const plan = { ...planned, network: await cards.find(engine, planned) };
  refuseRemote(engine, plan);
  const image = await ensureImage(task, { engine, source, refresh: false });
  if (user.role !== "admin") await protectShares(dependencies, plan);
  const sources = await pinFolders(task, engine, plan);
  const refuseCard = () => cards.refuse(plan, user);
  const making: Making = { engine, plan, others, sources, refuseCard, mark: marks.of(context.id), image };
  context.progress(90, "Create container");
  const undo = removeContainer.of({ engine: engine.type, name: plan.name });
  const made = await context.step("container", undo, (repeated) => makeContainer(making, repeated));
  context.progress(95, "Start container");
  const id = await context.step("start", null, (repeated) => startContainer(making, made, repeated));
  if (plan.network.mode === "bridge") {
    context.progress(98, "Connect container");
    await context.step("network", null, () => connect(engine, id, context.signal));
  }
  // A client that sees the task completed must find the container, its name and its ports in the lists.
  await view.refresh(id);
  const seen = view.byId(id);
  if (seen) await dependencies.waitUntilForwarded(engine, seen);
  return { result: 0, error: null, notice: await missingDevices(engine, plan), made: sentenceFor(engine, id, plan) };
}

/** Returns the documented sentence of the log: only Docker's containers have an id beside their name. */
function sentenceFor({ type }: Engine, id: string, { name }: ContainerPlan): string {
  const words = type === "docker" ? [type, id.slice(0, 12), name] : [type, name];
  return `Create container (${words.join(", ")})`;
}

/** Looks up the other containers that the plan names. Throws `not_found` if one is not there. */
async function findOthers(lookup: ContainerLookup, type: EngineType, plan: ContainerPlan) {
  const others = new Map<string, Container>();
  for (const text of textsOfOthers(plan)) others.set(text, (await lookup({ type, id: text })).container);
  return others;
}

/**
 * Throws `unsupported` if the plan needs a folder or an interface of this host, which mean nothing to an engine elsewhere.
 */
function refuseRemote({ capabilities, type }: Engine, plan: ContainerPlan): void {
  if (capabilities.local || (plan.mounts.length === 0 && plan.network.mode !== "bridge")) return;
  throw new AppError("unsupported", `volume.host and network.mode bridge need a ${type} on this host.`);
}

/**
 * Engines whose create says which devices are missing. LXD's does not: its create in QNAP's documents gives a device that
 * hosts lack, and that task ends with an empty detail.
 */
const tellsMissingDevices: Readonly<Record<EngineType, boolean>> = { docker: true, lxc: true, lxd: false };

/**
 * Returns a sentence that names the devices that the container was given and cannot have, because the host has no node.
 */
async function missingDevices({ capabilities, type }: Engine, plan: ContainerPlan): Promise<string | undefined> {
  if (capabilities.makesDeviceNodes || !tellsMissingDevices[type]) return undefined;
  if (plan.privileged || plan.devices.length === 0) return undefined;
  const { nodes } = await readHostFacts(plan);
  const there = new Set(nodes.map(({ kind, major }) => `${kind}${major}`));
  const missing = plan.devices.filter(({ majors }) => !majors.some(({ kind, major }) => there.has(`${kind}${major}`)));
  const names = deviceNames.filter((name) => missing.some(({ majors }) => majors === findDevice(name)));
  return names.length > 0 ? `This host has no node of ${names.join(", ")}: the container has none either.` : undefined;
}

/** Connects the container to its network, unless it has ended by now. */
async function connect(engine: Engine, id: string, signal: AbortSignal): Promise<void> {
  const container = await engine.containers.getById(id, signal);
  if (container && container.pid > 0) await engine.attachNetwork(container, signal);
}

/** Protects the host: what a container of an operator leaves in a share must not make an account of the host root. */
async function protectShares({ protection }: KindDependencies, { mounts }: ContainerPlan): Promise<void> {
  const written = mounts.filter(({ readOnly }) => !readOnly).map(({ folder }) => folder.share);
  for (const share of new Set(written)) await protection.protect(share);
}

/** Mounts the plan's folders where no container can exchange them. Returns where, in the order of the plan. */
async function pinFolders(
  { context, dependencies: { pins } }: TaskRun<CreateRequest>,
  engine: Engine,
  { mounts }: ContainerPlan,
): Promise<readonly string[]> {
  if (mounts.length === 0) return [];
  const folders = mounts.map(({ folder }) => folder);
  const undo = releaseFolders.of({ engine: engine.type });
  const sources = await context.step("folders", undo, () => pins.pin(engine.type, context.id, folders));
  // A host that was rebooted since that step has no mounts any more.
  await pins.restore(sources);
  await assertVisible(engine, sources);
  return sources;
}
