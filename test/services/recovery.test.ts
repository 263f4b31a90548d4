import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "../../src/errors.ts";
import type { Inventory } from "../../src/inventory/inventory.ts";
import { createRecovery } from "../../src/services/kinds/recovery.ts";

const away = new AppError("engine_unavailable", "cut", { details: { engine: "docker" } });
/** An engine that answers whenever it is asked, and yet cuts our calls. */
const answering = { view: () => ({ available: () => true, whenAvailable: async () => undefined }) };

test("an engine that answers and cuts the same call every time is given up in the end", async (context) => {
  let now = 0;
  context.mock.method(performance, "now", () => now);
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const recover = createRecovery(answering as unknown as Inventory);
  const { signal } = new AbortController();
  const answers: boolean[] = [];
  for (let minute = 0; minute < 25; minute++) {
    now = minute * 60_000;
    const answer = recover(away, signal, () => undefined);
    context.mock.timers.tick(1_000);
    answers.push(await answer);
  }
  assert.deepEqual(
    answers.slice(0, 20),
    answers.slice(0, 20).map(() => true),
    "not soon",
  );
  assert.equal(answers.at(-1), false);
  const other = recover(away, new AbortController().signal, () => undefined);
  context.mock.timers.tick(1_000);
  assert.equal(await other, true, "another task has its own patience");
  assert.equal(await recover(new AppError("conflict", "no"), signal, () => undefined), false);
});
