import assert from "node:assert/strict";
import { test } from "node:test";
import { loggedError } from "../../src/services/secrets/logged-error.ts";

const request = { type: "docker", environment: ["A=hunter2"], command: ["srv-x1", "--key=topsecret"] };

test("a task's error that repeats its command or environment is not in the log as it is", () => {
  for (const word of ["hunter2", "topsecret", "srv-x1"])
    assert.match(loggedError(`exec: "${word}": not found`, request), /the reason is not shown/);
  assert.equal(loggedError("The name is taken.", request), "The name is taken.");
});

test("a task's error is one short line in the log", () => {
  assert.equal(loggedError(" It failed:\n\tno\r\nroom\n", {}), "It failed: no room");
  const long = loggedError("x".repeat(100_000), {});
  assert.match(long, /^x{512}\.\.\. \(cut\)$/);
});
