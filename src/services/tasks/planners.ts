import type { CreateRequest, ImageDownloadRequest } from "../../api/create.ts";
import type { Capabilities } from "../../engines/capabilities.ts";
import type { Container, EngineType } from "../../engines/engine.ts";
import { invalid } from "../../errors.ts";
import type { Lane, Lock, PortClaim } from "../../storage/task-store.ts";
import { asksOfCreate, asksOfImage, type Asks } from "../access/task-authorization.ts";
import { type ContainerPlan, planContainer } from "../planning/container-plan.ts";
import { refuseUnfit } from "../planning/engine-support.ts";
import { imageKeys } from "../planning/image-keys.ts";
import { type ImageReferences, taggedName } from "../planning/image-reference.ts";
import { itemsOf } from "../kinds/image-remove.ts";
import { textsOfOthers } from "../planning/other-containers.ts";
import { refuseHalfNames, tagsOf } from "../planning/removed-tag.ts";
import type { BackgroundKind, TaskRequests } from "../contract/services.ts";
import { containerKey } from "../planning/resource-keys.ts";
import type { Shares } from "../../shares/shares.ts";

/** What accepting a task needs to know of its request. */
export interface TaskPlan {
  /** Engines that must answer now. */
  types: readonly string[];
  lane: Lane;
  name: string;
  locks: readonly Lock[];
  /** The key of the container that will be made. */
  creates: string | null;
  ports: readonly PortClaim[];
  /** The container that will be made, whose network and addresses are looked at. */
  container?: { type: EngineType; plan: ContainerPlan };
  /** What the policy is decided on, beside the verb. */
  asks?: Asks;
}

export type Planners = { [K in BackgroundKind]: (request: TaskRequests[K]) => Promise<TaskPlan> };

export interface PlannerOptions {
  shares: Shares;
  images: ImageReferences;
  /** `undefined`: this station has no such engine, which is said later. */
  capabilities: (type: EngineType) => Capabilities | undefined;
  /** Returns the container that a user's text means, as far as is known. Throws `conflict` when several are meant. */
  findContainer: (type: EngineType, text: string) => Container | undefined;
  /** Why this host cannot forward ports for an engine that publishes none; `undefined`: it can. */
  unforwardable: () => string | undefined;
}

/** A request checked in all that the schema cannot, and what it will need. Throws `invalid`; changes nothing. */
export function createPlanners(options: PlannerOptions): Planners {
  const { shares, images, capabilities, findContainer, unforwardable } = options;
  return { create, image_download: imageDownload, image_pull: imageDownload, image_remove: imageRemove };

  async function create(request: CreateRequest): Promise<TaskPlan> {
    const plan = planContainer(request, shares);
    const can = capabilities(request.type);
    if (can) refuseUnfit(request, can);
    const reason = unforwardable();
    if (can && !can.publishedPorts && plan.ports.length > 0 && reason !== undefined)
      throw invalid("network.port", `cannot be given for type ${request.type}. ${reason}`);
    const source = await images.resolve(request);
    const { references } = source;
    const key = containerKey(request.type, request.name);
    const texts = textsOfOthers(plan);
    const others = new Map(texts.map((text) => [text, findContainer(request.type, text)]));
    const otherKeys = new Set(texts.map((text) => containerKey(request.type, others.get(text)?.name ?? text)));
    otherKeys.delete(key);
    return {
      types: [request.type],
      lane: "heavy",
      name: request.name,
      container: { type: request.type, plan },
      locks: [[key, "X"], ...addressLocks(plan), ...shared([...imageKeys(request.type, references), ...otherKeys])],
      creates: key,
      ports: plan.ports.map(({ host, protocol }) => ({ protocol, port: host })),
      asks: asksOfCreate({ request, plan, source, others }),
    };
  }

  async function imageDownload(request: ImageDownloadRequest): Promise<TaskPlan> {
    const source = await images.resolve(request);
    const { references } = source;
    // Shared: pulls of one image go on together, and none while it is being removed.
    const locks = shared(imageKeys(request.type, references));
    const name = taggedName(request);
    return { types: [request.type], lane: "heavy", name, locks, creates: null, ports: [], asks: asksOfImage(source) };
  }
}

/** The image is locked as well as the tags: it goes with its last one, whichever that is. */
async function imageRemove(request: TaskRequests["image_remove"]): Promise<TaskPlan> {
  refuseHalfNames(request);
  const items = itemsOf(request);
  const names = items.map(taggedName);
  const keys = new Set(items.flatMap((item) => imageKeys(item.type, [item.id, ...tagsOf(item)])));
  return {
    types: [...new Set(items.map((item) => item.type))],
    lane: "quick",
    name: names.length > 1 ? `${names[0]} (+${names.length - 1})` : (names[0] as string),
    locks: [...keys].map((key): Lock => [key, "X"]),
    creates: null,
    ports: [],
  };
}

/** Two containers that are given one address are made one after the other, so that the second sees the first. */
function addressLocks({ macAddress, network }: ContainerPlan): Lock[] {
  const lan = network.mode === "bridge" || network.mode === "named" ? network.address : undefined;
  return [
    ...(macAddress === undefined ? [] : [[`host/mac/${macAddress}`, "X"] as const]),
    ...(lan?.by === "static" ? [[`host/address/${lan.address.split("/")[0]}`, "X"] as const] : []),
  ];
}

function shared(keys: readonly string[]): Lock[] {
  return keys.map((key) => [key, "S"]);
}
