import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { AppError } from "../../src/errors.ts";
import type { User } from "../../src/services/access/policy.ts";
import { quotaOf } from "../../src/services/access/task-quota.ts";
import { acceptJob } from "../../src/services/openvz/job-tasks.ts";
import { createAwaitedTasks, type AwaitedTaskOptions } from "../../src/services/tasks/awaited-tasks.ts";
import { createEndWaiters } from "../../src/tasks/end-waiters.ts";
import type { Handler } from "../../src/tasks/handler.ts";
import { fails } from "../engines/engine-checks.ts";
import { newTask } from "../storage/contract-fixture.ts";
import { createWorld, soon, type World } from "../tasks/world.ts";

const task = newTask({ lane: "quick", awaited: true, params: "{}", locks: [["docker/c/web", "X"]] });
const admin: User = { name: "admin", role: "admin" };
const { signal: connected } = new AbortController();
const quota = { tasks: 1, bytes: 1 << 20 };
const double = { tasks: 2, bytes: 1 << 21 };

interface Bench {
  world: World;
  run(signal?: AbortSignal, user?: User): Promise<unknown>;
  /** Ends the task that runs. */
  finish: PromiseWithResolvers<unknown>;
  states(): Promise<(string | undefined)[]>;
}

async function bench(context: TestContext, times: Partial<AwaitedTaskOptions> = {}): Promise<Bench> {
  const finish = Promise.withResolvers<unknown>();
  finish.promise.catch(() => undefined);
  const handler: Handler = {
    run: async () => ({ result: 0, error: null, output: await finish.promise }),
    settle: async () => undefined,
  };
  const world = await createWorld(context, () => handler);
  await world.machine.start();
  const awaiting = createAwaitedTasks({ machine: world.machine, tasks: world.tasks, userQuota: quota, ...times });
  return {
    world,
    finish,
    run: (signal = connected, user = admin) => awaiting.run({ ...task, user: user.name }, user, signal),
    states: () => Promise.all([1, 2].map(async (id) => (await world.tasks.row(id))?.state)),
  };
}

test("the caller has what the task answered", async (context) => {
  const { run, finish } = await bench(context);
  finish.resolve("image");
  assert.equal(await run(), "image");
});

test("the caller has the task's own error", async (context) => {
  const { run, finish } = await bench(context);
  finish.reject(new AppError("conflict", "It is running."));
  await fails(run(), "conflict", /It is running/);
});

test("behind a heavy task: conflict at once, naming it", async (context) => {
  const { run, world } = await bench(context);
  const holder = await world.add({ locks: [["docker/c/web", "S"]], user: "eve" });
  const begun = performance.now();
  await assert.rejects(run(), (error: AppError) => {
    assert.deepEqual([error.code, error.details], ["conflict", { task: holder }]);
    assert.match(error.message, /^Task 1 \(create\) of eve is at work on web/);
    return true;
  });
  assert.ok(performance.now() - begun < 10_000);
});

test("an operator is told of a task that is his own, and of another's only that there is one", async (context) => {
  const { run, world } = await bench(context);
  const holder = await world.add({ locks: [["docker/c/web", "S"]], user: "eve" });
  await assert.rejects(run(connected, { name: "bob", role: "operator" }), (error: AppError) => {
    assert.deepEqual([error.code, error.details], ["conflict", {}]);
    assert.equal(error.message, "Another task is at work on web; try again when it has ended.");
    return true;
  });
  await assert.rejects(run(connected, { name: "eve", role: "operator" }), { details: { task: holder } });
});

test("who hangs up takes back what waits, and what runs is finished", async (context) => {
  const { run, finish, world, states } = await bench(context);
  const [first, second] = [new AbortController(), new AbortController()];
  const running = run(first.signal);
  await world.running(1);
  const waiting = run(second.signal);
  await soon(async () => (await world.tasks.row(2))?.state === "waiting");
  first.abort();
  second.abort();
  await fails(waiting, "timeout", /taken back/);
  assert.deepEqual(await states(), ["running", "cancelled"]);
  finish.resolve("end");
  assert.equal(await running, "end");
  assert.deepEqual(await states(), ["completed", "cancelled"]);
});

test("who has hung up before it was accepted", async (context) => {
  const { run, finish, world } = await bench(context);
  finish.resolve("end");
  await run(AbortSignal.abort()).catch(() => undefined);
  await soon(async () => ["cancelled", "completed"].includes((await world.tasks.row(1))?.state ?? ""));
});

test("nothing begins later than it may", async (context) => {
  const { run, world, finish } = await bench(context, { startWithin: 100 });
  const first = run();
  await world.running(1);
  await fails(run(), "timeout", /nothing was done/);
  finish.resolve("end");
  await first;
  assert.equal((await world.tasks.row(2))?.state, "cancelled");
});

test("what takes too long goes on, and is named", async (context) => {
  const { run, world, finish } = await bench(context, { answerWithin: 100 });
  await assert.rejects(run(), (error: AppError) => {
    assert.deepEqual([error.code, error.details], ["timeout", { task: 1 }]);
    return true;
  });
  assert.equal((await world.tasks.row(1))?.state, "running");
  finish.resolve("end");
  await soon(async () => (await world.tasks.row(1))?.state === "completed");
});

test("a task that ended before, and how", async (context) => {
  const { world, finish } = await bench(context);
  const awaiting = createAwaitedTasks({ machine: world.machine, tasks: world.tasks, userQuota: quota });
  finish.resolve("end");
  const done = await world.add();
  await world.end(done);
  await awaiting.waitForEnd(done, connected);
  const failed = await world.add({ kind: "unknown" });
  await world.end(failed);
  await fails(awaiting.waitForEnd(failed, connected), "engine_failed", /cannot carry out unknown/);
});

test("nothing is kept of those who no longer wait for a task", async () => {
  const waiters = createEndWaiters();
  const over = new AbortController();
  const first = waiters.wait(1, over.signal);
  void waiters.wait(1, connected);
  void waiters.wait(2, over.signal);
  over.abort();
  assert.equal(waiters.size(), 1);
  waiters.notify(1, { output: 1 });
  assert.equal(waiters.size(), 0);
  const never = await Promise.race([first, Promise.resolve("nothing")]);
  assert.equal(never, "nothing");
});

test("a user's quota of tasks holds for verbs and jobs too; stops and removals have twice as many, an admin any number", async (context) => {
  const { run, world, finish } = await bench(context);
  const eve: User = { name: "eve", role: "operator" };
  // What waits for this lock does not begin.
  const locks = [["docker/c/held", "X"]] as const;
  for (const user of ["eve", "admin"]) await world.add({ user, lane: "heavy", locks: user === "eve" ? locks : [] });
  await fails(run(connected, eve), "too_many", /^eve has 1 tasks that wait or run already/);
  const job = (kind: string) => {
    const named = { id: kind, container: "c", verb: kind };
    return acceptJob({ machine: world.machine, userQuota: quota }, eve, {
      ...task,
      kind,
      user: "eve",
      locks,
      job: named,
    });
  };
  for (const kind of ["openvz_create", "openvz_start"]) await fails(job(kind), "too_many", /^eve has 1 tasks/);
  assert.equal((await job("openvz_stop")).message, "success");
  await fails(job("openvz_remove"), "too_many", /^eve has 2 tasks/);
  const most = ["container_stop", "container_remove", "openvz_remove", "container_restart"];
  assert.deepEqual(
    most.map((kind) => quotaOf(eve, kind, quota).quota),
    [double, double, double, quota],
  );
  finish.resolve(undefined);
  await run();
});
