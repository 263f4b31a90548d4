import fastify from "fastify";
import assert from "node:assert/strict";
import { test } from "node:test";
import { sendList } from "../../src/http/responses/list.ts";

test("other requests get a turn after each part of a long list", async () => {
  const parts = 20;
  const seen: string[] = [];
  async function* list(): AsyncGenerator<number[]> {
    for (let part = 0; part < parts; part++) {
      seen.push("part");
      setImmediate(() => seen.push("other"));
      yield [part];
    }
  }
  const app = fastify();
  app.get("/", (_request, reply) => sendList(reply, list()));
  const { body } = await app.inject("/");
  assert.equal((JSON.parse(body) as number[]).length, parts);
  // The first parts are read together, to see whether the list is short.
  const rest = seen.slice(seen.indexOf("other")).join(" ");
  assert.match(rest, /^(other )+(part other ){10,}(part )?(other ?)*$/);
  await app.close();
});
