import type { Verb } from "../../api/verbs.ts";
import type { CreateRequest } from "../../api/create.ts";
import type { Container } from "../../engines/engine.ts";
import type { ContainerPlan } from "../planning/container-plan.ts";
import type { ImageSource } from "../planning/image-reference.ts";
import type { OtherContainers } from "../planning/other-containers.ts";
import type { Owners } from "./owners.ts";
import { authorize, type EngineRequest, type User } from "./policy.ts";

/** What the policy decides on for a task: what it asks of the engine, and the other containers that it touches. */
export interface TaskDemands {
  /** What the engine would be asked for. */
  request: EngineRequest;
  /** The other containers that the task touches. */
  containers: readonly DemandedContainer[];
}

export interface DemandedContainer {
  /** Type of the container's engine. */
  type: string;
  /** The container, as the user calls it. */
  asked: string;
  /** The container whose id the engine would be given; undefined if there is none. */
  container: Container | undefined;
}

export interface PlannedCreate {
  /** The request, as it was sent. */
  request: CreateRequest;
  /** What the request was planned to be. */
  plan: ContainerPlan;
  /** Where its image is. */
  source: ImageSource;
  /** The containers that it refers to. */
  others: OtherContainers;
}

/** Returns what a create demands. */
export function demandsOfCreate({ request, plan, source, others }: PlannedCreate): TaskDemands {
  const { privileged, devices, gpu, network } = plan;
  const written = plan.mounts.filter((mount) => !mount.readOnly && mount.folder.readOnly);
  return {
    request: {
      privileged,
      devices,
      gpu,
      network,
      login: source.login !== undefined,
      writesReadOnly: written.map(({ folder }) => `/${[folder.share, ...folder.components].join("/")}`),
    },
    containers: [...others].map(([asked, container]) => ({ type: request.type, asked, container })),
  };
}

/** Returns what a pull of an image demands. */
export function demandsOfImage(source: ImageSource): TaskDemands {
  return { request: { login: source.login !== undefined }, containers: [] };
}

/** Throws as `authorize`. */
export async function authorizeTask(owners: Owners, user: User, verb: Verb, demands?: TaskDemands): Promise<void> {
  const { containers = [], request } = demands ?? {};
  // Admins may use all containers, so no owner is looked up.
  if (user.role === "admin" || containers.length === 0) return authorize(user, verb, [], request);
  const targets = await Promise.all(containers.map(({ type, asked, container }) => owners.of(type, container, asked)));
  authorize(user, verb, targets, request);
}
