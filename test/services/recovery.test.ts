import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { AppError } from "../../src/errors.ts";
import type { Inventory } from "../../src/inventory/inventory.ts";
import { createRecovery } from "../../src/services/kinds/recovery.ts";

const cut = new AppError("engine_unavailable", "The download was cut off.", { details: { engine: "docker" } });

/** An engine that answers whenever it is asked, and yet cuts our calls; the test may send it away. */
function world(context: TestContext) {
  const pauses: number[] = [];
  const waits: { detail: string; away: boolean }[] = [];
  const state = { now: 0, available: true, outages: 0 };
  context.mock.method(performance, "now", () => state.now);
  const view = {
    available: () => state.available,
    outages: () => state.outages,
    whenAvailable: async () => void (state.available = true),
  };
  const recover = createRecovery({ view: () => view } as unknown as Inventory, async (milliseconds) => {
    pauses.push(milliseconds);
    state.now += milliseconds;
  });
  /** A failure of the task of this signal, and all that is waited for then. */
  const fail = (signal: AbortSignal, error: unknown = cut): Promise<boolean> =>
    recover(error, signal, ({ detail, away }, wait) => {
      waits.push({ detail, away });
      return wait();
    });
  return { fail, state, pauses, waits };
}

test("an engine that answers and cuts the same call every time gets five tries with growing pauses", async (context) => {
  const { fail, pauses, waits } = world(context);
  const { signal } = new AbortController();
  const answers: boolean[] = [];
  for (let tries = 0; tries < 5; tries++) answers.push(await fail(signal));
  assert.deepEqual(answers, [true, true, true, true, false]);
  for (const [index, usual] of [500, 1000, 2000, 4000].entries()) {
    const pause = pauses[index] ?? 0;
    assert.ok(pause >= usual * 0.7 && pause <= usual * 1.3, `${pause} ms`);
  }
  assert.deepEqual(waits[0], { detail: "The download was cut off. It is tried again.", away: false });
  assert.equal(await fail(new AbortController().signal), true, "another task has tries of its own");
  assert.equal(await fail(signal, new AppError("conflict", "no")), false);
});

test("an engine that was away in between has not cut the call", async (context) => {
  const { fail, state, waits } = world(context);
  const { signal } = new AbortController();
  for (let tries = 0; tries < 12; tries++) {
    state.outages++;
    state.available = tries % 2 === 0;
    assert.equal(await fail(signal), true, `try ${tries}`);
  }
  assert.ok(waits.some(({ detail, away }) => away && detail === "Waiting for docker to answer"));
});

test("an engine that goes away in the middle of the same call every time is given up in the end", async (context) => {
  const { fail, state } = world(context);
  const { signal } = new AbortController();
  const answers: boolean[] = [];
  for (let minute = 0; minute < 25; minute++) {
    state.now = minute * 60_000;
    state.outages++;
    answers.push(await fail(signal));
  }
  assert.deepEqual(
    answers.slice(0, 20),
    answers.slice(0, 20).map(() => true),
    "not soon",
  );
  assert.equal(answers.at(-1), false);
});
