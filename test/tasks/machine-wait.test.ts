import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { AppError } from "../../src/errors.ts";
import type { WaitOutsideLane } from "../../src/tasks/handler.ts";
import { createWorld, loggedError, settle, soon, type World } from "./world.ts";

/** A machine with two heavy places whose tasks named `x/c/away...` fail until their engine is back. */
async function restWorld(context: TestContext, away: boolean) {
  const back = Promise.withResolvers<void>();
  const begun: string[] = [];
  let isBack = false;
  const handler = {
    async run({ name }: { name: string }) {
      begun.push(name);
      if (name.startsWith("away") && !isBack) throw new AppError("engine_unavailable", "away");
      return undefined;
    },
  };
  const kinds = {
    handlers: { create: () => handler },
    undoers: {},
    loggedError,
    async recover(_error: unknown, signal: AbortSignal, waitOutsideLane: WaitOutsideLane) {
      const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      await waitOutsideLane({ detail: "waiting", away, signal }, () => Promise.race([back.promise, aborted]));
      return !signal.aborted;
    },
  };
  const world = await createWorld(context, () => handler, { kinds });
  await world.machine.start();
  const add = (name: string, engine: string) =>
    world.add({ name, creates: null, lane: "heavy", locks: [[`${engine}/c/${name}`, "X"]] });
  const release = (): void => {
    isBack = true;
    back.resolve();
  };
  return { world, begun, add, release };
}

async function isCompleted(world: World, id: number): Promise<void> {
  const row = await world.end(id);
  assert.equal(row !== "hidden" && row.state, "completed");
}

test("a task that waits outside its lane has no place there and goes on when one is free", async (context) => {
  const { world, begun, add, release } = await restWorld(context, false);
  const waiting = [await add("away1", "one"), await add("away2", "one"), await add("away3", "one")];
  await soon(() => waiting.every((id) => world.machine.live(id)?.detail === "waiting"));
  await isCompleted(world, await add("web", "one"));
  release();
  for (const id of waiting) await isCompleted(world, id);
  assert.equal(begun.length, 7, "each that rested was tried again");
});

test("of an engine that is away no more tasks begin than the lane has places, and tasks of others do begin", async (context) => {
  const { world, begun, add, release } = await restWorld(context, true);
  const waiting = [await add("away1", "one"), await add("away2", "one"), await add("away3", "one")];
  await soon(() => waiting.slice(0, 2).every((id) => world.machine.live(id)?.detail === "waiting"));
  await isCompleted(world, await add("web", "two"));
  await settle(world);
  assert.equal(begun.includes("away3"), false);
  release();
  for (const id of waiting) await isCompleted(world, id);
});

test("a task that waits outside its lane is cancelled at once, and no place is given twice", async (context) => {
  const { world, begun, add, release } = await restWorld(context, false);
  const ids = [await add("away1", "one"), await add("away2", "one")];
  await soon(() => ids.every((id) => world.machine.live(id)?.detail === "waiting"));
  for (const id of ids) assert.equal(await world.machine.cancel(id), "cancelled");
  const later = [await add("web1", "one"), await add("web2", "one"), await add("web3", "one")];
  for (const id of later) await isCompleted(world, id);
  assert.equal(begun.length, 5);
  release();
});
