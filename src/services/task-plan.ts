import type { CreateRequest, ImageDownloadRequest } from "../api/create.ts";
import { AppError } from "../errors.ts";
import type { Lane, Lock, PortClaim } from "../storage/task-store.ts";
import { asksOfCreate, asksOfImage, type Asks } from "./asks.ts";
import { planContainer } from "./container-plan.ts";
import type { ImageReferences } from "./image-reference.ts";
import { itemsOf } from "./kinds/image-remove.ts";
import type { BackgroundKind, TaskRequests } from "./services.ts";
import type { Shares } from "./shares.ts";

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
  /** What the policy is decided on, beside the verb. */
  asks?: Asks;
}

export type Planners = { [K in BackgroundKind]: (request: TaskRequests[K]) => Promise<TaskPlan> };

/** A request checked in all that the schema cannot, and what it will need. Throws `invalid`; changes nothing. */
export function createPlanners({ shares, images }: { shares: Shares; images: ImageReferences }): Planners {
  return { create, image_download: imageDownload, image_remove: imageRemove };

  async function create(request: CreateRequest): Promise<TaskPlan> {
    dockerOnly(request.type);
    const plan = planContainer(request, shares);
    const source = await images.resolve(request);
    const { reference } = source;
    const key = containerKey(request.type, request.name);
    const others = new Set(
      [...plan.volumesFrom, ...Object.keys(plan.links)].map((name) => containerKey(request.type, name)),
    );
    others.delete(key);
    return {
      types: [request.type],
      lane: "heavy",
      name: request.name,
      locks: [[key, "X"], [imageKey(request.type, reference), "S"], ...[...others].map((other): Lock => [other, "S"])],
      creates: key,
      ports: plan.ports.map(({ host, protocol }) => ({ protocol, port: host })),
      asks: asksOfCreate(request, plan, source),
    };
  }

  async function imageDownload(request: ImageDownloadRequest): Promise<TaskPlan> {
    dockerOnly(request.type);
    const source = await images.resolve(request);
    const { reference } = source;
    // Shared: pulls of one image go on together, and none while it is being removed.
    const locks: Lock[] = [[imageKey(request.type, reference), "S"]];
    const name = `${request.image}:${request.tag}`;
    return { types: [request.type], lane: "heavy", name, locks, creates: null, ports: [], asks: asksOfImage(source) };
  }

  async function imageRemove(request: TaskRequests["image_remove"]): Promise<TaskPlan> {
    const items = itemsOf(request);
    for (const item of items) dockerOnly(item.type);
    const names = items.map((item) => `${item.image}:${item.tag}`);
    const keys = new Set(items.map((item, index) => imageKey(item.type, names[index] as string)));
    return {
      types: [...new Set(items.map((item) => item.type))],
      lane: "quick",
      name: names.length > 1 ? `${names[0]} (+${names.length - 1})` : (names[0] as string),
      locks: [...keys].map((key): Lock => [key, "X"]),
      creates: null,
      ports: [],
    };
  }
}

export function containerKey(type: string, name: string): string {
  return `${type}/c/${name}`;
}

function imageKey(type: string, reference: string): string {
  return `${type}/i/${reference}`;
}

function dockerOnly(type: string): void {
  if (type === "docker") return;
  throw new AppError("unsupported", `type ${type} is not carried out by this version, only docker.`, {
    details: { field: "type" },
  });
}
