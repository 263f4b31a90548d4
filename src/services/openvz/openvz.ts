import { randomUUID } from "node:crypto";
import type { CreateRequest } from "../../api/create.ts";
import type { OpenvzAccepted, OpenvzCreate, OpenvzCreated, OpenvzUpdated } from "../../api/openvz.ts";
import { hasCode } from "../../errors.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import type { OpenvzStore } from "../../storage/openvz-store.ts";
import type { TaskQuota } from "../../storage/task-quota.ts";
import type { TaskMachine } from "../../tasks/machine.ts";
import { authorizeTask } from "../access/task-authorization.ts";
import type { Awaiting } from "../tasks/awaiting.ts";
import type { Marks } from "../containers/marks.ts";
import type { Owners } from "../access/owners.ts";
import { authorize, onlyOf } from "../access/policy.ts";
import type { Caller, OpenvzService } from "../contract/services.ts";
import type { Sessions } from "../accounts/sessions.ts";
import type { Taken } from "../containers/availability.ts";
import type { Planners } from "../tasks/planners.ts";
import { acceptJob, jobTask, nameTaken, quickPlan } from "./jobs.ts";
import { inOwnWords, parseParameters } from "./parameters.ts";
import type { Reach } from "./reach.ts";
import { findRecorded } from "./records.ts";
import { passedOver } from "./passed-over.ts";
import { shownContainer, shownJob, shownListedJob } from "./shown.ts";
import type { OpenvzEngine, Templates } from "./templates.ts";

export interface OpenvzOptions {
  sessions: Sessions;
  inventory: Inventory;
  owners: Owners;
  planners: Pick<Planners, "create">;
  taken: Taken;
  machine: Pick<TaskMachine, "accept">;
  awaiting: Awaiting;
  openvz: OpenvzStore;
  marks: Marks;
  reach: Reach;
  templates: Templates;
  /** Where new containers are made. */
  engine: OpenvzEngine;
  /** Of each user who is no admin. */
  quota: TaskQuota;
}

const listedJobs = 1000;

/** The containers-and-jobs API: containers by UUID, and each change of one a task, which is called a job. */
export function createOpenvzService(options: OpenvzOptions): OpenvzService {
  const { sessions, inventory, openvz, reach } = options;

  function verb(verb: "remove" | "start" | "stop" | "restart") {
    return async (caller: Caller, id: string): Promise<OpenvzAccepted> => {
      const user = sessions.authenticate(caller);
      const { target } = await reach.container(user, `container:${verb}`, await openvz.container(id));
      const request = { ...target, container: id };
      const plan = quickPlan(target);
      return acceptJob(options, user, jobTask({ caller, user, kind: `openvz_${verb}`, id, request, plan }));
    };
  }

  return {
    create: (caller, request) => create(options, caller, request),
    update: (caller, id, request, signal) => update(options, { caller, id, ...request, signal }),
    remove: verb("remove"),
    start: verb("start"),
    stop: verb("stop"),
    restart: verb("restart"),

    async list(caller) {
      const user = onlyOf(sessions.authenticate(caller), "container:list");
      const rows = await openvz.containers({ user });
      const found = rows.flatMap((row) => findRecorded(inventory, options.marks, row) ?? []);
      return { message: "success", containers: found.map((recorded) => shownContainer(recorded)) };
    },

    async get(caller, id) {
      const user = sessions.authenticate(caller);
      const found = await reach.recorded(user, "container:get", await openvz.container(id));
      const { view, container } = found;
      // What applies is an extension: an engine that does not say it keeps nobody from the rest.
      const engine = view?.available() && view.engine.capabilities.reshapes ? view.engine : undefined;
      const shape = await (container && engine?.containers.shape(container.id).catch(() => undefined));
      return { message: "success", container: shownContainer(found, shape) };
    },

    async getJob(caller, id) {
      return { message: "success", ...shownJob(await reach.job(sessions.authenticate(caller), id)) };
    },

    async listJobs(caller) {
      const user = onlyOf(sessions.authenticate(caller), "task:list");
      const rows = await openvz.jobs({ user, limit: listedJobs });
      return { message: "success", jobs: rows.map(shownListedJob) };
    },
  };
}

async function create(options: OpenvzOptions, caller: Caller, asked: OpenvzCreate): Promise<OpenvzCreated> {
  const { name, ostemplate } = asked;
  const user = options.sessions.authenticate(caller);
  authorize(user, "container:create");
  const { engine } = options.inventory.require(options.engine);
  const image = await options.templates.resolve(ostemplate, engine);
  const create: CreateRequest = { type: options.engine, ...image, name, autostart: true };
  const plan = await options.planners.create(create);
  await authorizeTask(options.owners, user, "container:create", plan.asks);
  await options.taken
    .refuse(plan, user)
    .catch((error: unknown) => Promise.reject(isOfName(error) ? nameTaken() : error));
  const id = randomUUID();
  const request = { container: id, ostemplate, createdAt: Date.now(), create };
  const task = jobTask({ caller, user, kind: "openvz_create", id, request, plan });
  const accepted = await acceptJob(options, user, task);
  const warnings = passedOver(asked);
  return { ...accepted, ...(warnings.length > 0 && { warnings }) };
}

function isOfName(error: unknown): boolean {
  return hasCode(error, "conflict") && error.details?.["field"] === "name";
}

interface AskedUpdate {
  caller: Caller;
  /** Of the container, or of a job that was about it. */
  id: string;
  parameters: Record<string, string>;
  signal: AbortSignal;
}

/**
 * Awaited, although it is a task as the others: the documented answer says success and names no job, so whoever has it
 * may count on the change; and a failure could be told in no other way. What can be seen to be wrong is refused before
 * there is a task.
 */
async function update(options: OpenvzOptions, { caller, id, parameters, signal }: AskedUpdate): Promise<OpenvzUpdated> {
  const { openvz, reach, awaiting } = options;
  const user = options.sessions.authenticate(caller);
  authorize(user, "container:change");
  const { shape: change, description } = parseParameters(parameters);
  authorize(user, "container:change", [], { addresses: change.addresses });
  const named = (await openvz.container(id)) ?? (await openvz.containerOfJob(id));
  const { row, view, target } = await reach.container(user, "container:change", named);
  const { containers } = view.engine;
  const planned =
    Object.keys(change).length > 0 ? containers.planReshape(target.id, change, signal) : { restarts: false };
  const { restarts } = await Promise.resolve(planned).catch((error: unknown) => Promise.reject(inOwnWords(error)));
  const request = {
    ...target,
    container: row.id,
    change,
    parameters: JSON.stringify(parameters),
    ...(description !== undefined && { description }),
    restarts,
  };
  const plan = quickPlan(target);
  const task = jobTask({ caller, user, kind: "openvz_update", id: row.id, request, plan });
  await awaiting.run(task, user, signal);
  return { message: "success", code: 0, job_id: task.job.id, ...(restarts && { restart: true as const }) };
}
