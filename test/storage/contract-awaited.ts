import assert from "node:assert/strict";
import { test } from "node:test";
import { clearAll } from "../../src/storage/task-pages.ts";
import { accept, listed, completed, noon, port, running, withStore, type OpenStore } from "./contract-fixture.ts";

const all = { kind: null, limit: 99, before: null };

/** Tasks whose end somebody waits for. */
export function awaitedTests(open: OpenStore): void {
  test(
    "an awaited task is active and has a row, but is never in a list",
    withStore(open, async ({ tasks, events }) => {
      const id = await accept(tasks, { awaited: true, kind: "container_stop" });
      for (const state of ["waiting", "running", "completed"]) {
        assert.equal((await tasks.row(id))?.state, state);
        assert.deepEqual(await listed(tasks, all), []);
        assert.equal(await tasks.get(id), undefined);
        assert.deepEqual(await clearAll(tasks, { kind: null }), []);
        assert.equal((await tasks.active()).length, state === "completed" ? 0 : 1);
        if (state === "waiting") await tasks.claim({ id, now: noon + 1 });
        if (state === "running") await tasks.complete({ id, result: 0, error: null, now: noon + 2 });
      }
      assert.deepEqual((await events.read({ after: 0, limit: 9 })).events, [], "who waits is told, and nobody else");
    }),
  );

  test(
    "a waiting task is withdrawn with its locks; one that has begun is not",
    withStore(open, async ({ tasks }) => {
      const waiting = await accept(tasks, { locks: [["docker/c/a", "X"]], ports: [port(80)] });
      assert.equal(await tasks.withdraw({ id: waiting, now: noon + 1 }), true);
      assert.equal(await tasks.withdraw({ id: waiting, now: noon + 1 }), false);
      assert.equal((await tasks.row(waiting))?.state, "cancelled");
      assert.equal(await tasks.claim({ id: waiting, now: noon + 2 }), undefined);
      await accept(tasks, { ports: [port(80)] });
      const begun = await running(tasks);
      assert.equal(await tasks.withdraw({ id: begun, now: noon + 2 }), false);
      assert.equal((await tasks.row(begun))?.state, "running");
    }),
  );

  test(
    "port claims follow a renamed container",
    withStore(open, async ({ tasks }) => {
      await completed(tasks, { creates: "docker/c/a", ports: [port(80), port(81)] });
      await completed(tasks, { creates: "docker/c/b", ports: [port(82)] });
      await tasks.moveClaims({ from: "docker/c/a", to: "docker/c/c" });
      const claims = (await tasks.claims()).map(({ port, owner }) => `${port} ${owner}`).toSorted();
      assert.deepEqual(claims, ["80 docker/c/c", "81 docker/c/c", "82 docker/c/b"]);
      await tasks.releaseClaims("docker/c/a");
      assert.equal((await tasks.claims()).length, 3);
    }),
  );
}
