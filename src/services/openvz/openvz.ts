import { randomUUID } from "node:crypto";
import type { CreateRequest } from "../../api/create.ts";
import type { OpenvzAccepted } from "../../api/openvz.ts";
import { AppError, hasCode } from "../../errors.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import type { OpenvzContainerRow, OpenvzJobRow, OpenvzStore } from "../../storage/openvz-store.ts";
import type { NewTask, TaskStore } from "../../storage/task-store.ts";
import type { TaskMachine } from "../../tasks/machine.ts";
import { authorizeTask } from "../asks.ts";
import type { Awaiting } from "../awaiting.ts";
import { refusal } from "../background.ts";
import type { ContainerLookup } from "../container-lookup.ts";
import type { OpenvzKind, OpenvzRequests } from "../kinds/openvz.ts";
import type { Marks } from "../kinds/options.ts";
import type { Owners } from "../owners.ts";
import { authorize, onlyOf, type User, type Verb } from "../policy.ts";
import type { Caller, OpenvzService } from "../services.ts";
import type { Sessions } from "../sessions.ts";
import type { Taken } from "../taken.ts";
import { containerKey, type Planners } from "../task-plan.ts";
import { inOwnWords, parseParameters } from "./parameters.ts";
import { findRecorded, type Recorded } from "./records.ts";
import { shownContainer, shownJob, shownListedJob } from "./shown.ts";
import type { OpenvzEngine, Templates } from "./templates.ts";

export interface OpenvzOptions {
  sessions: Sessions;
  inventory: Inventory;
  owners: Owners;
  planners: Pick<Planners, "create">;
  taken: Taken;
  lookup: ContainerLookup;
  tasks: Pick<TaskStore, "ownerOf">;
  machine: Pick<TaskMachine, "accept">;
  awaiting: Awaiting;
  openvz: OpenvzStore;
  marks: Marks;
  templates: Templates;
  /** Where new containers are made. */
  engine: OpenvzEngine;
}

const listedJobs = 1000;

/** The containers-and-jobs API: containers by UUID, and each change of one a task, which is called a job. */
export function createOpenvzService(options: OpenvzOptions): OpenvzService {
  const { sessions, inventory, planners, taken, lookup, machine, awaiting, openvz, templates } = options;

  /** The container that this row is of, if the user may do this with it. To who may not there is none. */
  async function permitted(user: User, verb: Verb, row: OpenvzContainerRow | undefined): Promise<Recorded> {
    authorize(user, verb);
    const owner = row && user.role !== "admin" ? await options.tasks.ownerOf(row.task) : undefined;
    const found = row && findRecorded(inventory, options.marks, row);
    if (!found) throw noSuchContainer();
    try {
      authorize(user, verb, [{ owner, name: "container" }]);
    } catch (error) {
      throw hasCode(error, "not_found") ? noSuchContainer() : error;
    }
    return found;
  }

  /** The same, as its engine has it now. */
  async function target(user: User, verb: Verb, row: OpenvzContainerRow | undefined) {
    const { row: found, container: seen } = await permitted(user, verb, row);
    const type = found.engine as OpenvzEngine;
    const looked = lookup({ type, id: seen?.name ?? found.name }).catch((error: unknown) =>
      Promise.reject(hasCode(error, "not_found") ? noSuchContainer() : error),
    );
    const { container, view } = await looked;
    if (!options.marks.isOurs(container.mark, found.task)) throw noSuchContainer();
    const { id, name, incarnation } = container;
    return { row: found, view, target: { type, id, name, incarnation } };
  }

  async function accept(task: NewTask): Promise<void> {
    const accepted = await machine.accept(task);
    if ("id" in accepted) return;
    if ("creating" in accepted) throw nameTaken();
    throw "repeated" in accepted ? new AppError("internal", "A job has no key.") : refusal(accepted);
  }

  /** A change of one container, without more to say. */
  async function change(caller: Caller, id: string, verb: Verb, kind: OpenvzKind): Promise<OpenvzAccepted> {
    const user = sessions.authenticate(caller);
    const { row, target: request } = await target(user, verb, await openvz.container(id));
    const job = jobOf(kind, row.id);
    const asked = { ...request, container: row.id } satisfies OpenvzRequests["openvz_remove"];
    await accept({ ...taskOf(caller, user, kind), ...quickAt(request), params: JSON.stringify(asked), job });
    return { message: "success", job_id: job.id };
  }

  async function permittedJob(caller: Caller, id: string): Promise<OpenvzJobRow> {
    const only = onlyOf(sessions.authenticate(caller), "task:list");
    const row = await openvz.job(id);
    if (row && (only === undefined || row.user === only)) return row;
    throw new AppError("not_found", "no such job");
  }

  return {
    async create(caller, { name, ostemplate }) {
      const user = sessions.authenticate(caller);
      authorize(user, "container:create");
      const { engine } = inventory.require(options.engine);
      const image = await templates.resolve(ostemplate, engine);
      const create: CreateRequest = { type: options.engine, ...image, name, autostart: true };
      const plan = await planners.create(create);
      await authorizeTask(options.owners, user, "container:create", plan.asks);
      await taken.refuse(plan).catch((error: unknown) => Promise.reject(isOfName(error) ? nameTaken() : error));
      const { lane, locks, creates, ports } = plan;
      const job = jobOf("openvz_create", randomUUID());
      const task = taskOf(caller, user, "openvz_create");
      const request = { container: job.container, ostemplate, createdAt: task.now, create };
      const params = JSON.stringify(request satisfies OpenvzRequests["openvz_create"]);
      await accept({ ...task, lane, name, locks, creates, ports, params, job });
      return { message: "success", job_id: job.id };
    },

    async list(caller) {
      const user = onlyOf(sessions.authenticate(caller), "container:list");
      const rows = await openvz.containers({ user });
      const found = rows.flatMap((row) => findRecorded(inventory, options.marks, row) ?? []);
      return { message: "success", containers: found.map((recorded) => shownContainer(recorded)) };
    },

    async get(caller, id) {
      const user = sessions.authenticate(caller);
      const found = await permitted(user, "container:get", await openvz.container(id));
      const { view, container } = found;
      // What applies is an extension: an engine that does not say it keeps nobody from the rest.
      const engine = view?.available() && view.engine.capabilities.reshapes ? view.engine : undefined;
      const shape = await (container && engine?.containers.shape(container.id).catch(() => undefined));
      return { message: "success", container: shownContainer(found, shape) };
    },

    /**
     * Awaited, although it is a task as the others: the documented answer says success and names no job, so whoever has
     * it may count on the change; and a failure could be told in no other way.
     */
    async update(caller, id, { parameters }, signal) {
      const user = sessions.authenticate(caller);
      authorize(user, "container:change");
      const asked = parseParameters(parameters);
      const named = (await openvz.container(id)) ?? (await openvz.containerOfJob(id));
      const { row, view, target: request } = await target(user, "container:change", named);
      const { shape, description } = asked;
      const some = Object.keys(shape).length > 0;
      const own = (error: unknown) => Promise.reject(inOwnWords(error));
      const { restarts } = some
        ? await view.engine.containers.planReshape(request.id, shape, signal).catch(own)
        : { restarts: false };
      const job = jobOf("openvz_update", row.id);
      const params = {
        ...request,
        container: row.id,
        change: shape,
        parameters: JSON.stringify(parameters),
        ...(description !== undefined && { description }),
        restarts,
      } satisfies OpenvzRequests["openvz_update"];
      const task = {
        ...taskOf(caller, user, "openvz_update"),
        ...quickAt(request),
        params: JSON.stringify(params),
        job,
      };
      await awaiting.run(task, signal);
      return { message: "success", code: 0, job_id: job.id, ...(restarts && { restart: true as const }) };
    },

    remove: (caller, id) => change(caller, id, "container:remove", "openvz_remove"),
    start: (caller, id) => change(caller, id, "container:start", "openvz_start"),
    stop: (caller, id) => change(caller, id, "container:stop", "openvz_stop"),
    restart: (caller, id) => change(caller, id, "container:restart", "openvz_restart"),

    async getJob(caller, id) {
      return { message: "success", ...shownJob(await permittedJob(caller, id)) };
    },

    async listJobs(caller) {
      const user = onlyOf(sessions.authenticate(caller), "task:list");
      const rows = await openvz.jobs({ user, limit: listedJobs });
      return { message: "success", jobs: rows.map(shownListedJob) };
    },
  };
}

function jobOf(kind: OpenvzKind, container: string) {
  return { id: randomUUID(), container, verb: kind.replace("openvz_", "") };
}

/** In no list of background tasks, whose categories are documented. */
function taskOf({ address }: Caller, { name: user }: User, kind: OpenvzKind) {
  return { kind, user, address, idempotency: null, awaited: true, now: Date.now() };
}

function quickAt({ type, name }: { type: string; name: string }) {
  const locks: NewTask["locks"] = [[containerKey(type, name), "X"]];
  return { lane: "quick" as const, name, locks, creates: null, ports: [] };
}

function isOfName(error: unknown): boolean {
  return hasCode(error, "conflict") && error.details?.["field"] === "name";
}

function nameTaken(): AppError {
  return new AppError("conflict", "A container with given name already exists", { details: { field: "name" } });
}

function noSuchContainer(): AppError {
  return new AppError("not_found", "no such container");
}
