import type { CreateRequest } from "../api/create.ts";
import type { ContainerPlan } from "./container-plan.ts";
import type { ImageSource } from "./image-reference.ts";
import type { Owners } from "./owners.ts";
import { authorize, type EngineRequest, type User, type Verb } from "./policy.ts";

/** What a task's policy is decided on: what it would ask of the engine, and the containers that it touches. */
export interface Asks {
  request: EngineRequest;
  containers: readonly { type: string; name: string }[];
}

export function asksOfCreate(request: CreateRequest, plan: ContainerPlan, source: ImageSource): Asks {
  const { privileged, devices, gpu, network } = plan;
  const written = plan.mounts.filter((mount) => !mount.readOnly && mount.folder.readOnly);
  const names = new Set([...plan.volumesFrom, ...Object.keys(plan.links)]);
  return {
    request: {
      privileged,
      devices,
      gpu,
      network,
      login: source.login !== undefined,
      writesReadOnly: written.map(({ folder }) => `/${[folder.share, ...folder.components].join("/")}`),
    },
    containers: [...names].map((name) => ({ type: request.type, name })),
  };
}

export function asksOfImage(source: ImageSource): Asks {
  return { request: { login: source.login !== undefined }, containers: [] };
}

/** Throws as `authorize`. */
export async function authorizeTask(owners: Owners, user: User, verb: Verb, asks?: Asks): Promise<void> {
  const { containers = [], request } = asks ?? {};
  // An admin's request needs nobody looked up.
  if (user.role === "admin" || containers.length === 0) return authorize(user, verb, [], request);
  const targets = await Promise.all(containers.map(({ type, name }) => owners.container(type, name)));
  authorize(user, verb, targets, request);
}
