import type { Capabilities } from "../../engines/capabilities.ts";
import type { Container, EngineType } from "../../engines/engine.ts";
import type { Shares } from "../../shares/shares.ts";
import type { LockMode, PortClaim } from "../../storage/task-store.ts";
import type { ResourceKey } from "../../tasks/resource-key.ts";
import type { TaskDemands } from "../access/task-authorization.ts";
import type { ContainerPlan } from "../planning/container-plan.ts";
import type { ImageReferences } from "../planning/image-reference.ts";

/** A key that a task holds while it runs, shared or exclusive. */
export type ResourceLock = readonly [key: ResourceKey, mode: LockMode];

/** What accepting a task needs to know of its request. */
export interface TaskPlan {
  /** Types of the engines that must be there when the task is accepted. */
  engines: readonly EngineType[];
  /** Name of the container, or image:tag, for people. */
  name: string;
  /** The keys that the task holds while it runs. */
  locks: readonly ResourceLock[];
  /** The key of the container that will be made; null: none. */
  creates: ResourceKey | null;
  /** Ports of the host that the task claims, in the order of the request. */
  ports: readonly PortClaim[];
  /** The container that will be made: its network and its addresses are checked. */
  container?: { type: EngineType; plan: ContainerPlan };
  /** What the policy decides on beside the verb. */
  demands?: TaskDemands;
}

/** What kinds of tasks plan with. It changes nothing. */
export interface PlanDependencies {
  /** The shared folders of this host. */
  shares: Shares;
  /** Finds out where an image is, from what a request says of it. */
  images: ImageReferences;
  /** Returns what an engine can do; undefined if this station has no such engine, which is said later. */
  capabilities: (type: EngineType) => Capabilities | undefined;
  /** Returns the container that a user's text means, as far as is known. Throws `conflict` when several are meant. */
  findContainer: (type: EngineType, text: string) => Container | undefined;
  /** Returns why this host cannot forward ports for an engine that publishes none; undefined if it can. */
  unforwardable: () => string | undefined;
}

/** Returns locks that other tasks may hold at the same time. */
export function sharedLocks(keys: readonly ResourceKey[]): ResourceLock[] {
  return keys.map((key) => [key, "S"]);
}

/** Returns locks that one task at a time may hold. */
export function exclusiveLocks(keys: readonly ResourceKey[]): ResourceLock[] {
  return keys.map((key) => [key, "X"]);
}
