import assert from "node:assert/strict";
import { test } from "node:test";
import { createListWriter, prettyJson, prettyJsonList } from "../../src/http/responses/json.ts";

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

test("a list that is written part by part is the text of the whole one", async () => {
  const items = [{ name: 'two\nlines "quoted"', inside: { a: [1, {}] } }, { id: 2 }, { id: 3 }];
  for (const parts of [[], [[]], [items], [[], items.slice(0, 1), [], items.slice(1)]]) {
    let text = "";
    for await (const part of prettyJsonList(partsOf(parts))) text += part;
    assert.equal(text, prettyJson(parts.flat()));
  }
});

async function* partsOf(parts: readonly object[][]): AsyncGenerator<object[]> {
  yield* parts;
}
