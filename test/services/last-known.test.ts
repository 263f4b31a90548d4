import assert from "node:assert/strict";
import { test } from "node:test";
import { createLastKnown } from "../../src/util/last-known.ts";

/** Readings that end when the test says so. */
function readings() {
  const begun: PromiseWithResolvers<number>[] = [];
  const read = () => {
    const one = Promise.withResolvers<number>();
    begun.push(one);
    return one.promise;
  };
  return { begun, read };
}

test("the first value is waited for; later ones only while there is patience, and then the last one counts", async () => {
  const { begun, read } = readings();
  const get = createLastKnown(read, 5);
  const first = get();
  begun[0]?.resolve(1);
  assert.equal(await first, 1);
  assert.equal(await get(), 1, "a reading that does not end");
  assert.equal(begun.length, 2);
  assert.equal(await get(), 1);
  assert.equal(begun.length, 2, "one reading at a time");
  begun[1]?.resolve(2);
  await new Promise(setImmediate);
  const third = get();
  begun[2]?.reject(new Error("unreadable"));
  assert.equal(await third, 2, "a reading that fails leaves what is known");
  const fourth = get();
  begun[3]?.resolve(4);
  assert.equal(await fourth, 4, "a reading that is quick enough");
});

test("while nothing is known a failure is told, and the next call reads again", async () => {
  const { begun, read } = readings();
  const get = createLastKnown(read);
  begun[0]?.reject(new Error("unreadable"));
  await assert.rejects(get(), /unreadable/);
  const again = get();
  begun[1]?.resolve(7);
  assert.equal(await again, 7);
});
