import assert from "node:assert/strict";
import { test } from "node:test";
import { paced } from "../../src/util/pacing.ts";

/** Keeps the thread busy. */
function work(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}

/** Each takes a while to be read, and is there without waiting for anything. */
async function* parts(): AsyncGenerator<number> {
  for (let part = 1; part <= 3; part++) {
    work(15);
    yield part;
  }
}

test("other work gets a turn between two parts", async () => {
  const seen: string[] = [];
  for await (const part of paced(parts())) {
    seen.push(`part ${part}`);
    setImmediate(() => seen.push("other"));
  }
  assert.deepEqual(seen, ["part 1", "other", "part 2", "other", "part 3", "other"]);
});

test("while there is other work, a part is followed by a pause that is as long as it took to be read", async () => {
  let busy = true;
  const others = () => {
    work(3);
    if (busy) setImmediate(others);
  };
  setImmediate(others);
  const pauses: number[] = [];
  let given = Number.NaN;
  async function* timed(): AsyncGenerator<number> {
    for (let part = 1; part <= 3; part++) {
      pauses.push(performance.now() - given);
      work(15);
      yield part;
    }
  }
  for await (const _ of paced(timed())) given = performance.now();
  busy = false;
  // A timer counts whole milliseconds.
  assert.deepEqual(
    pauses.slice(1).map((pause) => pause >= 14),
    [true, true],
    String(pauses),
  );
});

test("a reader who leaves ends the reading", async () => {
  let ended = false;
  async function* ending(): AsyncGenerator<number> {
    try {
      for (;;) yield 1;
    } finally {
      ended = true;
    }
  }
  for await (const _ of paced(ending())) break;
  assert.ok(ended);
});
