import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResourceKey, resourceKey } from "../../src/tasks/resource-key.ts";

test("a key names a thing, and is read as the same thing", () => {
  for (const [key, resource] of [
    ["docker/c/web", { scope: "docker", type: "c", name: "web" }],
    ["docker/i/127.0.0.1:5000/library/a:1", { scope: "docker", type: "i", name: "127.0.0.1:5000/library/a:1" }],
    ["host/mac/02:00:00:00:00:01", { scope: "host", type: "mac", name: "02:00:00:00:00:01" }],
    ["host/address/192.0.2.1", { scope: "host", type: "address", name: "192.0.2.1" }],
  ] as const) {
    assert.equal(resourceKey(resource), key);
    assert.deepEqual(parseResourceKey(key), resource);
  }
});

test("a text that is no key names nothing, and no key is made of an empty name", () => {
  for (const text of ["", "web", "docker/web", "docker/x/web", "docker/c/", "/c/web"])
    assert.equal(parseResourceKey(text), undefined, text);
  assert.throws(() => resourceKey({ scope: "docker", type: "c", name: "" }), TypeError);
});
