import assert from "node:assert/strict";
import { test } from "node:test";
import { createListWriter, prettyJson } from "../../src/http/json.ts";

test("a list of what does not change is written as any other answer, the first time and later", () => {
  const items = [
    Object.freeze({ name: 'two\nlines "quoted"', empty: [], ports: [80, 443], inside: { a: null } }),
    Object.freeze({ name: "ü\u2028" }),
  ];
  const write = createListWriter();
  for (const list of [
    [],
    items,
    [...items],
    items.toReversed(),
    items,
    [],
    [...items, { name: "new" }],
    items.slice(1),
  ])
    assert.equal(write(list).toString(), prettyJson(list));
  assert.equal(write([...items]), write(items), "the same bytes");
});
