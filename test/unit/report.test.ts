import assert from "node:assert/strict";
import { test } from "node:test";
import { failureReport } from "../report.ts";

const long = Array.from({ length: 100 }, (_, line) => `line ${line}`).join("\n");

test("a failure is told by its file, its name and the first ten lines of its message", () => {
  const lines = failureReport([{ file: "test/a.test.ts", name: "it holds", message: `\u001B[31m${long}` }]);
  assert.equal(lines[0], "Failed: test/a.test.ts: it holds");
  assert.deepEqual(
    lines.slice(1),
    long
      .split("\n")
      .slice(0, 10)
      .map((line) => `    ${line}`),
  );
});

test("many failures are told in some forty lines, each with its name and the begin of its message", () => {
  for (const count of [5, 13, 20, 500]) {
    const failures = Array.from({ length: count }, (_, i) => ({ file: `test/${i}.test.ts`, name: "n", message: long }));
    const lines = failureReport(failures);
    assert.ok(lines.length <= 41, `${count} failures are told in ${lines.length} lines`);
    assert.equal(lines.filter((line) => line === "    line 0").length, Math.min(count, 20));
    assert.equal(lines.at(-1), count > 20 ? `Failed: ${count - 20} more` : lines.at(-1));
  }
  assert.deepEqual(failureReport([]), []);
});
