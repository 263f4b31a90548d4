import type { CreateRequest } from "../../api/create.ts";
import type { Container, EngineType } from "../../engines/engine.ts";
import { AppError, hasCode } from "../../errors.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import type { LiveNumbers } from "../../numbers/live-numbers.ts";
import type { Lock } from "../../storage/task-store.ts";
import type { Awaiting } from "./awaiting.ts";
import type { ContainerLookup, FoundContainer } from "../containers/lookup.ts";
import { numbersKey } from "../containers/numbers.ts";
import { shownContainer } from "../containers/container-view.ts";
import { imageKeys } from "../planning/image-keys.ts";
import { taggedName } from "../planning/image-reference.ts";
import type { AwaitedKind, AwaitedRequests, Target } from "../kinds/awaited.ts";
import { containerVerbs, refuseRunning } from "../kinds/container-verbs.ts";
import { containerOfTask, unknownContainer } from "../containers/find.ts";
import type { Marks } from "../containers/marks.ts";
import type { MountPlaces } from "../containers/mount-guard.ts";
import type { Permitted } from "../containers/permitted.ts";
import type { User } from "../access/policy.ts";
import { shownResource } from "../containers/resource-view.ts";
import type { BackgroundService, Caller, ContainerPlace, LifecycleService } from "../contract/services.ts";
import type { Sessions } from "../accounts/sessions.ts";
import { containerKey } from "../planning/resource-keys.ts";

export interface LifecycleOptions {
  sessions: Sessions;
  inventory: Inventory;
  marks: Marks;
  lookup: ContainerLookup;
  permitted: Permitted;
  awaiting: Awaiting;
  background: Pick<BackgroundService, "add">;
  places: MountPlaces;
  numbers: Pick<LiveNumbers, "get">;
}

/** Where an image comes from when nothing is said. */
const usualRepository = { docker: "dockerhub", lxc: "qnap", lxd: "lxd" } as const satisfies Record<EngineType, string>;

type Extras<K extends AwaitedKind> = Omit<AwaitedRequests[K], keyof Target>;

interface Asked<K extends AwaitedKind> {
  caller: Caller;
  place: ContainerPlace;
  kind: K;
  extras: Extras<K>;
  signal: AbortSignal;
}

interface Done {
  container: Container;
  output: unknown;
}

/** Verbs of one container, each a task whose end is waited for. */
export function createLifecycleService(options: LifecycleOptions): LifecycleService {
  const { sessions, inventory, marks, lookup, permitted, awaiting, background, places } = options;

  /** Answers the container as it was before, and what the task answered. */
  async function carryOut<K extends AwaitedKind>({ caller, place, kind, extras, signal }: Asked<K>): Promise<Done> {
    const user = sessions.authenticate(caller);
    const { container, view } = await permitted(user, containerVerbs[kind].verb, place);
    if (kind === "container_commit" && !view.engine.capabilities.commits) {
      throw new AppError("unsupported", `No image can be made of a ${place.type} container.`, {
        details: { field: "type" },
      });
    }
    if (kind === "container_remove") refuseRunning(container, (extras as Extras<"container_remove">).force);
    const { id, name, incarnation } = container;
    const request: Target & Extras<K> = { type: place.type, id, name, incarnation, ...extras };
    const task = { ...taskOf(user, kind, request), address: caller.address };
    return { container, output: await awaiting.run(task, user, signal) };
  }

  async function shown({ type, id }: ContainerPlace) {
    const { container } = await lookup({ type, id });
    return shownContainer(type, container, options.numbers.get(numbersKey(type, container.id), container.pid));
  }

  /** Some containers go with their end: such a one is shown as it was, and stopped. */
  async function shownAfter(type: EngineType, container: Container) {
    return shown({ type, id: container.id }).catch((error: unknown) => {
      if (!hasCode(error, "not_found")) throw error;
      return shownContainer(type, { ...container, state: "stopped", pid: 0 });
    });
  }

  async function resource(place: ContainerPlace, { container, view }: FoundContainer) {
    const settings = await view.engine.containers.settings(container.id);
    const volumesFrom = settings.volumesFrom.map((id) => view.byId(id)?.name ?? id);
    return shownResource(place.type, container, { ...settings, volumesFrom }, places);
  }

  /** A container of that name may by now be another one, which somebody else made. */
  async function shownMade(type: EngineType, made: { task: number; name: string }) {
    const container = containerOfTask(inventory.require(type), marks, made);
    if (!container) throw unknownContainer(type, made.name);
    return shown({ type, id: container.id });
  }

  /** A verb without more to say, which answers the container. */
  function plain(kind: "container_start" | "container_pause" | "container_unpause") {
    return async (caller: Caller, place: ContainerPlace, signal: AbortSignal) => {
      const { container } = await carryOut({ caller, place, kind, extras: {}, signal });
      return shownAfter(place.type, container);
    };
  }

  function graceful(kind: "container_stop" | "container_restart"): LifecycleService["stop"] {
    return async (caller, place, { grace }, signal) => {
      const extras = grace === undefined ? {} : { grace };
      const { container } = await carryOut({ caller, place, kind, extras, signal });
      return shownAfter(place.type, container);
    };
  }

  return {
    async create(caller, request, { idempotencyKey, signal }) {
      const { type, name } = request;
      const full: CreateRequest = { ...request, repository: request.repository ?? usualRepository[type] };
      const { id } = await background.add(caller, "create", full, { idempotencyKey });
      await awaiting.end(id, signal);
      return shownMade(type, { task: id, name });
    },
    start: plain("container_start"),
    pause: plain("container_pause"),
    unpause: plain("container_unpause"),
    stop: graceful("container_stop"),
    restart: graceful("container_restart"),
    async rename(caller, place, { name }, signal) {
      const { output } = await carryOut({ caller, place, kind: "container_rename", extras: { to: name }, signal });
      return shown({ type: place.type, id: output as string });
    },
    async setAutostart(caller, place, { on }, signal) {
      await carryOut({ caller, place, kind: "container_autostart", extras: { on }, signal });
      return resource(place, await lookup(place));
    },
    async commit(caller, place, { repository, tag = "", author = "", message = "" }, signal) {
      const extras = { reference: taggedName({ image: repository, tag }), author, message };
      const { output } = await carryOut({ caller, place, kind: "container_commit", extras, signal });
      return { image_id: output as string };
    },
    async remove(caller, place, { removeVolumes, force }, signal) {
      const extras = { keepVolumes: !removeVolumes, force };
      await carryOut({ caller, place, kind: "container_remove", extras, signal });
      return {};
    },
    async settings(caller, place) {
      return resource(place, await permitted(sessions.authenticate(caller), "container:settings", place));
    },
  };
}

function taskOf<K extends AwaitedKind>({ name: user }: User, kind: K, request: Target & Extras<K>) {
  return {
    kind,
    lane: "quick" as const,
    name: request.name,
    user,
    params: JSON.stringify(request),
    ...keysOf(kind, request),
    ports: [],
    idempotency: null,
    awaited: true,
    endsOnly: kind === "container_stop",
    now: Date.now(),
  };
}

/** A rename also holds the name that it gives, and a commit the image's. */
function keysOf(kind: AwaitedKind, request: Target): { locks: Lock[]; creates: string | null } {
  const { type, name } = request;
  const own: Lock = [containerKey(type, name), "X"];
  if (kind === "container_rename") {
    const key = containerKey(type, (request as AwaitedRequests["container_rename"]).to);
    const other: Lock[] = key === own[0] ? [] : [[key, "X"]];
    return { locks: [own, ...other], creates: other.length > 0 ? key : null };
  }
  if (kind !== "container_commit") return { locks: [own], creates: null };
  const { reference } = request as AwaitedRequests["container_commit"];
  return { locks: [own, ...imageKeys(type, [reference]).map((key): Lock => [key, "X"])], creates: null };
}
