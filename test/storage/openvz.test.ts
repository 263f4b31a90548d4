import assert from "node:assert/strict";
import { test } from "node:test";
import { purgeAll } from "../../src/storage/task-pages.ts";
import { completed, day, hour, noon, running } from "./contract-fixture.ts";
import { openTemporary } from "./temporary.ts";

const container = { id: "c-1", name: "ct1", ostemplate: "t", engine: "lxc", createdAt: noon };
const hidden = (verb: string, id: string) => ({
  kind: `openvz_${verb}`,
  awaited: true,
  job: { id, container: container.id, verb },
});
const limits = { maxAge: 30 * day, minAge: day, maxCount: 10_000, maxEvents: 1000 };

test("a job is kept as long as its task, and the create of a container as long as the container", async (context) => {
  const { database, close } = await openTemporary();
  context.after(close);
  const { tasks, openvz } = database;
  const task = await completed(tasks, { ...hidden("create", "j-1"), creates: "lxc/c/ct1" });
  await openvz.record({ ...container, task });
  const stop = await running(tasks, hidden("stop", "j-2"));
  assert.deepEqual([(await openvz.job("j-1"))?.state, (await openvz.job("j-2"))?.state], ["completed", "running"]);
  await tasks.complete({ id: stop, result: 1, error: "it would not", now: noon + 2 });
  const { state, error, verb, task: of } = (await openvz.job("j-2")) ?? {};
  assert.deepEqual([state, error, verb, of], ["error", "it would not", "stop", stop]);
  assert.equal((await openvz.containerOfJob("j-2"))?.id, "c-1");

  await purgeAll(tasks, { ...limits, now: noon + 29 * day });
  assert.equal((await openvz.jobs({ limit: 10 })).length, 2, "in no list of tasks, but kept like those");
  await purgeAll(tasks, { ...limits, now: noon + 31 * day });
  assert.deepEqual(
    (await openvz.jobs({ limit: 10 })).map(({ id, state }) => [id, state]),
    [["j-1", "completed"]],
  );
  assert.deepEqual(
    (await openvz.containers({ user: "admin" })).map(({ id }) => id),
    ["c-1"],
  );
  assert.deepEqual(await openvz.containers({ user: "eva" }), []);
  await openvz.forget("c-1");
  await purgeAll(tasks, { ...limits, now: noon + 31 * day + hour });
  assert.deepEqual(await openvz.jobs({ limit: 10 }), []);
});

test("a record is written once, its parameters are replaced, and its description stays until there is another", async (context) => {
  const { database, close } = await openTemporary();
  context.after(close);
  const { openvz } = database;
  for (const name of ["ct1", "ct2"]) await openvz.record({ ...container, name, task: 1 });
  await openvz.setParameters({ id: "c-1", parameters: '{"a":"b"}', description: "mine" });
  await openvz.setParameters({ id: "c-1", parameters: '{"c":"d"}' });
  const { name, parameters, description } = (await openvz.container("c-1")) ?? {};
  assert.deepEqual([name, parameters, description], ["ct1", '{"c":"d"}', "mine"]);
});
