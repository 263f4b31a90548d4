import assert from "node:assert/strict";
import { test } from "node:test";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { returnIdleMemory } from "../../src/util/idle-memory.ts";

/** Bytes of the old objects: young ones come and go by themselves. */
const heap = () => getHeapSpaceStatistics().find((space) => space.space_name === "old_space")?.physical_space_size ?? 0;

test("what a large answer left of the heap is collected while nothing is done", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as NonNullable<typeof globalThis.gc>;
  let answer: object[] | undefined = Array.from({ length: 800_000 }, (_, n) => ({ n, text: `task ${n}` }));
  // Whatever V8 has begun by itself is over.
  await collect({ type: "major", execution: "async" });
  const full = heap();
  assert.equal(answer.length, 800_000);
  answer = undefined;
  const left = await new Promise<number>((resolve) => {
    const giveUp = setTimeout(() => resolve(full), 30_000);
    // V8 by itself would take long, so what is left counts when the station's own collection is over.
    globalThis.gc = (async (options: NodeJS.GCOptions & { execution: "async" }) => {
      await collect(options);
      clearTimeout(giveUp);
      resolve(heap());
    }) as typeof globalThis.gc;
    returnIdleMemory(50);
  });
  assert.ok(left < full - (16 << 20), `${full} bytes, and then ${left}`);
});
