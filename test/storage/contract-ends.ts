import assert from "node:assert/strict";
import { test } from "node:test";
import type { TaskStore } from "../../src/storage/task-store.ts";
import {
  accept,
  completed,
  inDebt,
  newTask,
  noon,
  port,
  running,
  withStore,
  type OpenStore,
} from "./contract-fixture.ts";

const now = noon + 9;
const held = {
  creates: "docker/c/web",
  ports: [port(80)],
  locks: [
    ["docker/c/web", "X"],
    ["docker/i/nginx", "S"],
  ] as const,
};

export function endTests(open: OpenStore): void {
  stateTests(open);
  debtTests(open);
  stepTests(open);
}

async function activeOf(tasks: TaskStore, id: number) {
  const found = (await tasks.active()).find(({ task }) => task.id === id);
  return found && { state: found.task.state, undoFailed: found.undoFailed, locks: found.locks.map(String).sort() };
}

function stateTests(open: OpenStore): void {
  test(
    "after a completed task the locks are released, and the port claims stay until their owner is gone",
    withStore(open, async ({ tasks }) => {
      const id = await running(tasks, held);
      assert.deepEqual(await activeOf(tasks, id), {
        state: "running",
        undoFailed: false,
        locks: ["docker/c/web,X", "docker/i/nginx,S"],
      });
      assert.deepEqual(await tasks.claims(), [], "only of final tasks");
      const claimants = () => Promise.all([80, 81].map((port) => tasks.claimant({ protocol: "tcp", port })));
      assert.deepEqual(await claimants(), ["docker/c/web", undefined]);
      await tasks.complete({ id, result: 0, error: null, now });
      const row = await tasks.get(id);
      assert.deepEqual(
        [row?.state, row?.result, row?.error, row?.end, row?.progress],
        ["completed", 0, null, now, 100],
      );
      assert.equal(await activeOf(tasks, id), undefined);
      assert.deepEqual(await tasks.claims(), [{ protocol: "tcp", port: 80, owner: "docker/c/web" }]);
      assert.deepEqual(await claimants(), ["docker/c/web", undefined]);
      await tasks.releaseClaims("docker/c/web");
      assert.deepEqual(await tasks.claims(), []);
      await accept(tasks, held);
    }),
  );

  test(
    "port claims are never released while their task is not final",
    withStore(open, async ({ tasks }) => {
      const id = await accept(tasks, held);
      await tasks.releaseClaims("docker/c/web");
      assert.ok("claimed" in (await tasks.accept(newTask({ creates: "docker/c/two", ports: [port(80)] }))), "waiting");
      await tasks.claim({ id, now });
      await tasks.releaseClaims("docker/c/web");
      assert.ok("claimed" in (await tasks.accept(newTask({ creates: "docker/c/two", ports: [port(80)] }))), "running");
    }),
  );

  test(
    "a result other than 0 ends as error, releases the port claims, and is not undone",
    withStore(open, async ({ tasks }) => {
      const id = await running(tasks, held);
      await tasks.complete({ id, result: 2, error: "2 of 3 failed.", now });
      const row = await tasks.get(id);
      assert.deepEqual([row?.state, row?.result, row?.error, row?.progress], ["error", 2, "2 of 3 failed.", -1]);
      assert.deepEqual([await tasks.claims(), await tasks.undone([id])], [[], []]);
      await accept(tasks, held);
    }),
  );

  test(
    "an undone task ends in its outcome and releases its locks and port claims",
    withStore(open, async ({ tasks }) => {
      const failed = await running(tasks, held);
      await tasks.startUndo({ id: failed, error: "It failed.", now });
      assert.deepEqual([(await activeOf(tasks, failed))?.state, await tasks.undone([failed])], ["undoing", []]);
      await tasks.finish({ id: failed, error: null, undoFailed: false, now });
      const row = await tasks.get(failed);
      assert.deepEqual([row?.state, row?.result, row?.error, row?.end], ["error", 1, "It failed.", now]);
      const cancelled = await running(tasks, held);
      await tasks.cancel({ id: cancelled, now });
      await tasks.finish({ id: cancelled, error: null, undoFailed: false, now });
      assert.equal(await tasks.get(cancelled), undefined, "hidden");
      const withdrawn = await accept(tasks, held);
      await tasks.cancel({ id: withdrawn, now });
      const good = await completed(tasks, held);
      assert.deepEqual(await tasks.undone([good, cancelled, failed, withdrawn, 777]), [cancelled, failed, withdrawn]);
      assert.deepEqual(await tasks.active(), []);
    }),
  );
}

function debtTests(open: OpenStore): void {
  test(
    "after a failed undo locks, port claims, steps and the name stay until the undo succeeds",
    withStore(open, async ({ tasks }) => {
      const id = await running(tasks, held);
      await tasks.planStep({ task: id, seq: 0, name: "container", undo: { op: "remove", args: {} }, previous: null });
      await tasks.startUndo({ id, error: "It failed.", now });
      await tasks.finish({ id, error: "Undoing failed.", undoFailed: true, now });
      const kept = { state: "error", undoFailed: true, locks: ["docker/c/web,X", "docker/i/nginx,S"] };
      assert.deepEqual(await activeOf(tasks, id), kept);
      assert.equal((await tasks.get(id))?.error, "Undoing failed.");
      assert.deepEqual([await tasks.claims(), await tasks.undone([id])], [[], []]);
      await tasks.releaseClaims("docker/c/web");
      assert.ok("claimed" in (await tasks.accept(newTask({ ports: [port(80)] }))));
      assert.equal((await tasks.steps(id)).length, 1);
      await tasks.clearOne({ id });
      assert.deepEqual(await activeOf(tasks, id), kept, "also when it is cleared from the list");
      await tasks.clearFailedUndo(id);
      assert.deepEqual([await tasks.active(), await tasks.steps(id), await tasks.undone([id])], [[], [], [id]]);
      await accept(tasks, held);
    }),
  );

  test(
    "a cancelled task whose undo failed ends as error and is not hidden",
    withStore(open, async ({ tasks }) => {
      const id = await running(tasks);
      await tasks.cancel({ id, now });
      await tasks.finish({ id, error: "Undoing failed.", undoFailed: true, now });
      const row = await tasks.get(id);
      assert.deepEqual([row?.state, row?.error], ["error", "Undoing failed."]);
      await tasks.clearFailedUndo(id);
      assert.deepEqual(await tasks.undone([id]), [id]);
    }),
  );

  test(
    "`active` lists tasks that are not final or whose undo failed, oldest first",
    withStore(open, async ({ tasks }) => {
      const owing = await inDebt(tasks);
      await completed(tasks);
      const two = await running(tasks);
      const three = await accept(tasks);
      const found = (await tasks.active()).map(({ task, undoFailed }) => [task.id, task.state, undoFailed]);
      assert.deepEqual(found, [
        [owing, "error", true],
        [two, "running", false],
        [three, "waiting", false],
      ]);
    }),
  );
}

function stepTests(open: OpenStore): void {
  test(
    "a step is planned with its undo, and the next plan stores its result",
    withStore(open, async ({ tasks }) => {
      const task = await running(tasks);
      const undo = { op: "remove", args: { name: "web" } };
      await tasks.planStep({ task, seq: 0, name: "pull", undo: null, previous: null });
      await tasks.planStep({ task, seq: 1, name: "container", undo, previous: { seq: 0, out: { id: "x" } } });
      assert.deepEqual(await tasks.steps(task), [
        { seq: 0, name: "pull", state: "done", undo: null, out: { id: "x" } },
        { seq: 1, name: "container", state: "planned", undo, out: null },
      ]);
      await assert.rejects(tasks.planStep({ task, seq: 1, name: "again", undo: null, previous: { seq: 1, out: 1 } }));
      assert.equal((await tasks.steps(task))[1]?.state, "planned", "all of the call or nothing");
      await tasks.complete({ id: task, result: 0, error: null, now });
      assert.deepEqual(await tasks.steps(task), []);
    }),
  );

  test(
    "attempts are counted from the last finished step",
    withStore(open, async ({ tasks }) => {
      const task = await running(tasks);
      await tasks.planStep({ task, seq: 0, name: "one", undo: null, previous: null });
      assert.deepEqual([await tasks.countAttempt(task), await tasks.countAttempt(task)], [1, 2]);
      await tasks.planStep({ task, seq: 1, name: "two", undo: null, previous: null });
      assert.equal((await tasks.get(task))?.attempts, 2, "a plan alone is no progress");
      await tasks.planStep({ task, seq: 2, name: "three", undo: null, previous: { seq: 1, out: null } });
      assert.equal(await tasks.countAttempt(task), 1);
    }),
  );

  test(
    "progress is stored while a task runs",
    withStore(open, async ({ tasks }) => {
      const id = await running(tasks);
      await tasks.saveProgress({ id, detail: "Download image:40%", progress: 40 });
      const row = await tasks.get(id);
      assert.deepEqual([row?.detail, row?.progress], ["Download image:40%", 40]);
    }),
  );
}
