import assert from "node:assert/strict";
import { test } from "node:test";
import {
  accept,
  completed,
  day,
  hour,
  inDebt,
  newTask,
  noon,
  port,
  running,
  withStore,
  type OpenStore,
  listed,
} from "./contract-fixture.ts";

const key = (key: string, hash = "h1") => ({ idempotency: { key, hash } });

export function acceptTests(open: OpenStore): void {
  identityTests(open);
  idempotencyTests(open);
  uniquenessTests(open);
}

function identityTests(open: OpenStore): void {
  test(
    "an accepted task is stored as it was given, waits, and has a larger id than earlier ones",
    withStore(open, async ({ tasks }) => {
      const first = await accept(tasks, { name: "one" });
      const second = await accept(tasks, {
        kind: "image_download",
        lane: "quick",
        name: "two",
        user: "eva",
        params: '{"b":2}',
      });
      assert.ok(second > first);
      assert.deepEqual(
        { ...(await tasks.get(second)) },
        {
          id: second,
          kind: "image_download",
          lane: "quick",
          name: "two",
          user: "eva",
          params: '{"b":2}',
          state: "waiting",
          init: noon,
          start: null,
          end: null,
          result: null,
          error: null,
          detail: "",
          progress: -1,
          pivot: 0,
          attempts: 0,
          outcome: null,
        },
      );
      assert.equal(await tasks.get(second + 1), undefined);
    }),
  );

  test(
    "a call that fails makes no other call of its batch fail, and leaves nothing behind",
    withStore(open, async ({ tasks, events }) => {
      const names = ["a", "b", "c", "d"];
      const calls = names.map((name) => tasks.accept(newTask({ name, creates: `docker/c/${name}`, ports: [] })));
      const bad = [
        tasks.accept(newTask({ name: "bad", creates: "docker/c/bad", ports: [port(80), port(80)] })),
        tasks.countAttempt(987_654),
      ];
      const late = tasks.accept(newTask({ name: "e" }));
      const answers = await Promise.allSettled([...calls, ...bad, late]);
      const outcomes = answers.map(({ status }) => status === "fulfilled");
      assert.deepEqual(outcomes, [true, true, true, true, false, false, true]);
      const rows = await listed(tasks, { kind: null, limit: 10, before: null });
      assert.deepEqual(
        rows.map(({ name }) => name),
        ["e", "d", "c", "b", "a"],
      );
      assert.deepEqual(await tasks.claims(), []);
      assert.equal((await events.read({ after: 0, limit: 99 })).events.length, 5);
      await accept(tasks, { name: "good", creates: "docker/c/bad", ports: [port(80)] });
    }),
  );
}

function idempotencyTests(open: OpenStore): void {
  test(
    "an idempotency key returns its task, is refused with another body, and is independent of other users' keys",
    withStore(open, async ({ tasks }) => {
      const id = await accept(tasks, { ...key("k"), creates: "docker/c/web", ports: [port(80)] });
      await tasks.claim({ id, now: noon });
      const again = await tasks.accept(newTask({ ...key("k"), creates: "docker/c/web", ports: [port(80)] }));
      assert.ok("repeated" in again && again.repeated.id === id && again.repeated.state === "running");
      assert.deepEqual(await tasks.accept(newTask(key("k", "h2"))), { reused: id });
      assert.ok("id" in (await tasks.accept(newTask({ ...key("k", "h2"), user: "eva" }))));
      assert.equal((await listed(tasks, { kind: null, limit: 9, before: null })).length, 2);
    }),
  );

  test(
    "two requests with one key at the same time make one task",
    withStore(open, async ({ tasks }) => {
      const answers = await Promise.all([1, 2, 3].map(() => tasks.accept(newTask(key("k")))));
      assert.equal(answers.filter((answer) => "id" in answer).length, 1);
      assert.equal(answers.filter((answer) => "repeated" in answer).length, 2);
    }),
  );

  test(
    "`repeated` returns what `accept` would return, and changes nothing",
    withStore(open, async ({ tasks }) => {
      assert.equal(await tasks.repeated(newTask(key("k"))), undefined);
      const id = await accept(tasks, key("k"));
      const found = await tasks.repeated(newTask(key("k")));
      assert.ok(found && "repeated" in found && found.repeated.id === id);
      assert.deepEqual(await tasks.repeated(newTask(key("k", "h2"))), { reused: id });
      assert.equal(await tasks.repeated(newTask()), undefined);
    }),
  );

  test(
    "an idempotency key is forgotten after a day",
    withStore(open, async ({ tasks }) => {
      const id = await completed(tasks, key("k"));
      const nearly = await tasks.accept(newTask({ ...key("k"), now: noon + day - hour }));
      assert.ok("repeated" in nearly && nearly.repeated.id === id);
      const after = await tasks.accept(newTask({ ...key("k", "h2"), now: noon + day + hour }));
      assert.ok("id" in after && after.id !== id);
      const again = await tasks.accept(newTask({ ...key("k", "h2"), now: noon + day + 2 * hour }));
      assert.ok("repeated" in again && again.repeated.id === after.id);
    }),
  );
}

function uniquenessTests(open: OpenStore): void {
  test(
    "at most one active task makes a thing",
    withStore(open, async ({ tasks }) => {
      const creates = "docker/c/web";
      const id = await running(tasks, { creates, user: "eva", name: "web" });
      const refused = await tasks.accept(newTask({ creates }));
      assert.deepEqual(refused, { creating: { id, name: "web", user: "eva" } });
      await tasks.complete({ id, result: 0, error: null, now: noon });
      const withdrawn = await accept(tasks, { creates });
      await tasks.cancel({ id: withdrawn, now: noon });
      const owing = await inDebt(tasks, { creates });
      assert.ok("creating" in (await tasks.accept(newTask({ creates }))), "a failed undo keeps it");
      await tasks.clearFailedUndo(owing);
      await accept(tasks, { creates });
    }),
  );

  test(
    "ports are claimed per protocol when a task is accepted; if one is taken, nothing is accepted",
    withStore(open, async ({ tasks }) => {
      const id = await accept(tasks, { creates: "docker/c/web", ports: [port(80), port(443)] });
      const refused = await tasks.accept(newTask({ creates: "docker/c/two", ports: [port(8080), port(443)] }));
      assert.deepEqual(refused, { claimed: { protocol: "tcp", port: 443, owner: "docker/c/web" } });
      await accept(tasks, { creates: "docker/c/two", ports: [port(8080), { protocol: "udp", port: 443 }] });
      assert.deepEqual(
        (await tasks.active()).map(({ task }) => task.id),
        [id, id + 1],
      );
    }),
  );
}
