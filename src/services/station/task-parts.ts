import type { ProgressListener } from "../../tasks/progress.ts";
import { createTaskMachine } from "../../tasks/machine.ts";
import type { User } from "../access/policy.ts";
import { authorizeTask } from "../access/task-authorization.ts";
import { createAvailability } from "../containers/availability.ts";
import { createContainerFinder } from "../containers/find.ts";
import { createPulls } from "../images/pulls.ts";
import { createKinds } from "../kinds/kinds.ts";
import { createPlanner } from "../kinds/planner.ts";
import { createCards } from "../networks/cards.ts";
import { createImageReferences } from "../planning/image-reference.ts";
import { createAwaitedTasks } from "../tasks/awaited-tasks.ts";
import type { LiveContainers } from "./live-containers.ts";
import type { StationOptions } from "./options.ts";

export interface TaskPartOptions {
  /** What knows the containers. */
  live: LiveContainers;
  /** Returns a user as of now. Throws `forbidden` if there is none. */
  userNow(name: string): Promise<User>;
  /** Is told about the progress of running tasks. */
  onProgress: ProgressListener;
}

export type TaskParts = ReturnType<typeof createTaskParts>;

/** Puts together what plans, accepts and runs tasks. */
export function createTaskParts(options: StationOptions, { live, userNow, onProgress }: TaskPartOptions) {
  const { secrets, lanes, maxTasks, userQuota, log } = options;
  const { tasks, registries, openvz } = options.stores;
  const { inventory, owners, forwarder, shares, actingUsers } = live;
  const images = createImageReferences(registries, secrets, options.checkRegistry);
  const cards = createCards(live);
  const kinds = createKinds({
    ...live,
    images,
    pulls: createPulls(),
    openvz,
    cards,
    moveClaims: (from, to) => tasks.moveClaims({ from, to }),
    waitUntilForwarded: forwarder.waitUntilForwarded,
    async authorize(name, verb, demands) {
      const user = await userNow(name);
      await authorizeTask(owners, user, verb, demands);
      return user;
    },
  });
  const machine = createTaskMachine({ tasks, kinds: actingUsers.watch(kinds), lanes, maxTasks, onProgress, log });
  const plan = createPlanner({
    shares,
    images,
    capabilities: (type) => inventory.view(type)?.engine.capabilities,
    findContainer: createContainerFinder(inventory),
    unforwardable: forwarder.unavailableReason,
  });
  return {
    machine,
    plan,
    cards,
    availability: createAvailability(inventory, tasks, owners),
    awaited: createAwaitedTasks({ machine, tasks, userQuota }),
  };
}
