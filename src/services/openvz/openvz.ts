import { randomUUID } from "node:crypto";
import type { CreateRequest } from "../../api/create.ts";
import type { OpenvzAccepted, OpenvzCreate, OpenvzCreated, OpenvzUpdated } from "../../api/openvz.ts";
import { hasCode } from "../../errors.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import type { OpenvzStore } from "../../storage/openvz-store.ts";
import type { TaskQuota } from "../../storage/task-quota.ts";
import type { TaskMachine } from "../../tasks/machine.ts";
import { authorizeTask } from "../access/task-authorization.ts";
import type { AwaitedTasks } from "../tasks/awaited-tasks.ts";
import type { Marks } from "../containers/marks.ts";
import type { Owners } from "../access/owners.ts";
import { authorize, onlyOf } from "../access/policy.ts";
import type { Caller, OpenvzService } from "../contract/services.ts";
import type { Sessions } from "../accounts/sessions.ts";
import type { Availability } from "../containers/availability.ts";
import { openvzCreate } from "../kinds/openvz/create.ts";
import { openvzRemove } from "../kinds/openvz/remove.ts";
import { openvzRestart } from "../kinds/openvz/restart.ts";
import { openvzStart } from "../kinds/openvz/start.ts";
import { openvzStop } from "../kinds/openvz/stop.ts";
import { openvzUpdate } from "../kinds/openvz/update.ts";
import type { Planner } from "../kinds/planner.ts";
import type { KindDefinition, KindFacts } from "../kinds/task-kind.ts";
import type { Target } from "../kinds/container/target.ts";
import { acceptJob, jobTask, nameTaken } from "./job-tasks.ts";
import { translateField, parseParameters } from "../planning/openvz-parameters.ts";
import type { OpenvzAccess } from "./access.ts";
import { findRecorded } from "./records.ts";
import { warnIgnoredFields } from "./ignored-fields.ts";
import { containerAnswer, jobAnswer, listedJob } from "./answers.ts";
import type { OpenvzEngine, Templates } from "./templates.ts";

export interface OpenvzOptions {
  /** Tells who calls. */
  sessions: Sessions;
  /** The engines and what is known of their containers. */
  inventory: Inventory;
  /** Tells whose a container is. */
  owners: Owners;
  /** Says what a task will need. */
  plan: Planner;
  /** Tells whether a name or a port is free. */
  availability: Availability;
  /** Accepts tasks, and knows those that run. */
  machine: Pick<TaskMachine, "accept">;
  /** Runs tasks for whose end the caller waits. */
  awaited: AwaitedTasks;
  /** The store of the containers-and-jobs API. */
  openvz: OpenvzStore;
  /** Makes and knows the marks of this station's tasks. */
  marks: Marks;
  /** Finds containers and jobs as far as the user may see or change them. */
  access: OpenvzAccess;
  /** From the name of a template to a system image. */
  templates: Templates;
  /** Type of the engine that makes new containers. */
  engine: OpenvzEngine;
  /** What each user who is no admin may have in the store. */
  userQuota: TaskQuota;
}

const listedJobs = 1000;

/** Makes the service of the containers-and-jobs API: containers by UUID, and each change of one a task, which is a job. */
export function createOpenvzService(options: OpenvzOptions): OpenvzService {
  const { sessions, inventory, openvz, access } = options;

  /** Accepts a job that does something with a container that is there. */
  function accept(kind: KindFacts & Pick<KindDefinition<string, Target & { container: string }>, "plan">) {
    return async (caller: Caller, id: string): Promise<OpenvzAccepted> => {
      const user = sessions.authenticate(caller);
      const { target } = await access.container(user, kind.verb, await openvz.container(id));
      const request = { ...target, container: id };
      const plan = await options.plan(kind, request);
      const planned = { kind, params: JSON.stringify(request), plan, user, address: caller.address };
      return acceptJob(options, user, jobTask(planned, id));
    };
  }

  return {
    create: (caller, request) => create(options, caller, request),
    update: (caller, id, request, signal) => update(options, { caller, id, ...request, signal }),
    remove: accept(openvzRemove),
    start: accept(openvzStart),
    stop: accept(openvzStop),
    restart: accept(openvzRestart),

    async list(caller) {
      const user = onlyOf(sessions.authenticate(caller), "container:list");
      const rows = await openvz.containers({ user });
      const found = rows.flatMap((row) => findRecorded(inventory, options.marks, row) ?? []);
      return { message: "success", containers: found.map((recorded) => containerAnswer(recorded)) };
    },

    async get(caller, id) {
      const user = sessions.authenticate(caller);
      const found = await access.recorded(user, "container:get", await openvz.container(id));
      const { view, container } = found;
      // The present shape is an extension of the API: if the engine does not tell it, all else is shown.
      const engine = view?.available() && view.engine.capabilities.reshapes ? view.engine : undefined;
      const shape = await (container && engine?.containers.shape(container.id).catch(() => undefined));
      return { message: "success", container: containerAnswer(found, shape) };
    },

    async getJob(caller, id) {
      return { message: "success", ...jobAnswer(await access.job(sessions.authenticate(caller), id)) };
    },

    async listJobs(caller) {
      const user = onlyOf(sessions.authenticate(caller), "task:list");
      const rows = await openvz.jobs({ user, limit: listedJobs });
      return { message: "success", jobs: rows.map(listedJob) };
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
  const id = randomUUID();
  const request = { container: id, ostemplate, createdAt: Date.now(), create };
  const plan = await options.plan(openvzCreate, request);
  await authorizeTask(options.owners, user, openvzCreate.verb, plan.demands);
  await options.availability
    .assertFree(plan, user)
    .catch((error: unknown) => Promise.reject(isAboutName(error) ? nameTaken() : error));
  const params = JSON.stringify(request);
  const task = jobTask({ kind: openvzCreate, params, plan, user, address: caller.address }, id);
  const accepted = await acceptJob(options, user, task);
  const warnings = warnIgnoredFields(asked);
  return { ...accepted, ...(warnings.length > 0 && { warnings }) };
}

function isAboutName(error: unknown): boolean {
  return hasCode(error, "conflict") && error.details?.["field"] === "name";
}

interface AskedUpdate {
  caller: Caller;
  /** Id of the container, or of a job that was about it. */
  id: string;
  parameters: Record<string, string>;
  signal: AbortSignal;
}

/**
 * Changes a container and waits for the end of the job, because the documented answer says success and names no job: a
 * client that has it relies on the change, and could not learn of a failure. A change that is seen to be impossible is
 * refused before there is a job.
 */
async function update(options: OpenvzOptions, { caller, id, parameters, signal }: AskedUpdate): Promise<OpenvzUpdated> {
  const { openvz, access, awaited } = options;
  const user = options.sessions.authenticate(caller);
  authorize(user, "container:change");
  const { shape: change, description } = parseParameters(parameters);
  authorize(user, "container:change", [], { addresses: change.addresses });
  const named = (await openvz.container(id)) ?? (await openvz.containerOfJob(id));
  const { row, view, target } = await access.container(user, "container:change", named);
  const { containers } = view.engine;
  const planned =
    Object.keys(change).length > 0 ? containers.planReshape(target.id, change, signal) : { restarts: false };
  const { restarts } = await Promise.resolve(planned).catch((error: unknown) => Promise.reject(translateField(error)));
  const request = {
    ...target,
    container: row.id,
    change,
    parameters: JSON.stringify(parameters),
    ...(description !== undefined && { description }),
    restarts,
  };
  const plan = await options.plan(openvzUpdate, request);
  const params = JSON.stringify(request);
  const task = jobTask({ kind: openvzUpdate, params, plan, user, address: caller.address }, row.id);
  await awaited.run(task, user, signal);
  return { message: "success", code: 0, job_id: task.job.id, ...(restarts && { restart: true as const }) };
}
