import type { CreateRequest } from "../../api/create.ts";
import type { Container } from "../../engines/engine.ts";
import { AppError } from "../../errors.ts";
import type { Sessions } from "../accounts/sessions.ts";
import type { AuthorizedLookup } from "../containers/authorized-lookup.ts";
import type { FoundContainer } from "../containers/lookup.ts";
import type { BackgroundService, Caller, ContainerPlace, LifecycleService } from "../contract/services.ts";
import { containerAutostart } from "../kinds/container/autostart.ts";
import { containerCommit } from "../kinds/container/commit.ts";
import { containerPause } from "../kinds/container/pause.ts";
import { assertRemovable, containerRemove } from "../kinds/container/remove.ts";
import { containerRename } from "../kinds/container/rename.ts";
import { containerRestart } from "../kinds/container/restart.ts";
import { containerStart } from "../kinds/container/start.ts";
import { containerStop } from "../kinds/container/stop.ts";
import type { Target } from "../kinds/container/target.ts";
import { containerUnpause } from "../kinds/container/unpause.ts";
import { newTaskOf } from "../kinds/new-task.ts";
import type { Planner } from "../kinds/planner.ts";
import type { TaskKind } from "../kinds/task-kind.ts";
import { taggedName, usualRepository } from "../planning/image-reference.ts";
import type { AwaitedTasks } from "./awaited-tasks.ts";
import type { ContainerAnswers } from "./container-answers.ts";

export interface ContainerVerbOptions {
  /** Tells who calls. */
  sessions: Sessions;
  /** Looks up a container that the caller may do something with. */
  authorizedLookup: AuthorizedLookup;
  /** Says what a task will need. */
  plan: Planner;
  /** Runs tasks for whose end the caller waits. */
  awaited: AwaitedTasks;
  /** Accepts creates. */
  background: Pick<BackgroundService, "add">;
  /** Describes containers after a verb. */
  answers: ContainerAnswers;
}

/** What is done with one container. */
interface Verb<Name extends string, Request extends Target> {
  caller: Caller;
  /** The container, as the caller names it. */
  place: ContainerPlace;
  kind: TaskKind<Name, Request>;
  /** Makes the request. Throws if this cannot be done with the container. */
  requestFor: (target: Target, found: FoundContainer) => Request;
  signal: AbortSignal;
}

/** Makes the service of the verbs of one container, each a task whose end is waited for. */
export function createContainerVerbs(options: ContainerVerbOptions): LifecycleService {
  const { sessions, authorizedLookup, background, awaited, answers } = options;

  /** Starts, pauses or unpauses. */
  function plainVerb<Name extends string>(kind: TaskKind<Name, Target>): LifecycleService["start"] {
    return async (caller, place, signal) => {
      const { container } = await carryOut(options, { caller, place, kind, requestFor: (target) => target, signal });
      return answers.infoAfter(place.type, container);
    };
  }

  /** Stops or restarts. */
  function gracefulVerb<Name extends string>(
    kind: TaskKind<Name, Target & { grace?: number }>,
  ): LifecycleService["stop"] {
    return async (caller, place, { grace }, signal) => {
      const requestFor = (target: Target) => ({ ...target, ...(grace !== undefined && { grace }) });
      const { container } = await carryOut(options, { caller, place, kind, requestFor, signal });
      return answers.infoAfter(place.type, container);
    };
  }

  return {
    async create(caller, request, { idempotencyKey, signal }) {
      const { type, name } = request;
      const full: CreateRequest = { ...request, repository: request.repository ?? usualRepository[type] };
      const { id } = await background.add(caller, "create", full, { idempotencyKey });
      await awaited.waitForEnd(id, signal);
      return answers.infoOfTask(type, { task: id, name });
    },
    start: plainVerb(containerStart),
    pause: plainVerb(containerPause),
    unpause: plainVerb(containerUnpause),
    stop: gracefulVerb(containerStop),
    restart: gracefulVerb(containerRestart),
    async rename(caller, place, { name: to }, signal) {
      const requestFor = (target: Target) => ({ ...target, to });
      const { output } = await carryOut(options, { caller, place, kind: containerRename, requestFor, signal });
      return answers.info({ type: place.type, id: textOf(output) });
    },
    async setAutostart(caller, place, { on }, signal) {
      const requestFor = (target: Target) => ({ ...target, on });
      await carryOut(options, { caller, place, kind: containerAutostart, requestFor, signal });
      return answers.settings(place);
    },
    async commit(caller, place, request, signal) {
      const { repository, tag = "", author = "", message = "" } = request;
      const reference = taggedName({ image: repository, tag });
      const requestFor = (target: Target, found: FoundContainer) => {
        assertCommits(found);
        return { ...target, reference, author, message };
      };
      const { output } = await carryOut(options, { caller, place, kind: containerCommit, requestFor, signal });
      return { image_id: textOf(output) };
    },
    async remove(caller, place, { removeVolumes, force }, signal) {
      const requestFor = (target: Target, found: FoundContainer) => {
        assertRemovable(found.container, force);
        return { ...target, keepVolumes: !removeVolumes, force };
      };
      await carryOut(options, { caller, place, kind: containerRemove, requestFor, signal });
      return {};
    },
    async settings(caller, place) {
      const user = sessions.authenticate(caller);
      return answers.settingsOf(place, await authorizedLookup(user, "container:settings", place));
    },
  };
}

/** Runs a verb as a task. Returns the container as it was before, and what the task returned. */
async function carryOut<Name extends string, Request extends Target>(
  { sessions, authorizedLookup, plan, awaited }: ContainerVerbOptions,
  { caller, place, kind, requestFor, signal }: Verb<Name, Request>,
): Promise<{ container: Container; output: unknown }> {
  const user = sessions.authenticate(caller);
  const found = await authorizedLookup(user, kind.verb, place);
  const { container } = found;
  const { id, name, incarnation } = container;
  const request = requestFor({ type: place.type, id, name, incarnation }, found);
  const task = newTaskOf({
    kind,
    params: JSON.stringify(request),
    plan: await plan(kind, request),
    user,
    address: caller.address,
  });
  return { container, output: await awaited.run(task, user, signal) };
}

function assertCommits({ view: { engine } }: FoundContainer): void {
  if (engine.capabilities.commits) return;
  const sentence = `No image can be made of a ${engine.type} container.`;
  throw new AppError("unsupported", sentence, { details: { field: "type" } });
}

/** Returns the output of a task whose output is a text. */
function textOf(output: unknown): string {
  if (typeof output === "string") return output;
  throw new AppError("internal", "A task did not return the text that it should have.");
}
