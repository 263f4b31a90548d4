import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { removeTree } from "../../src/engines/processes/remove-tree.ts";
import { killStrayProcesses } from "../../src/engines/processes/stray-processes.ts";
import { run } from "./commands.ts";

test("what a killed station's children left running is ended, and nobody else's", async () => {
  const station = randomUUID();
  const begin = (mark: string) => {
    const env = { PATH: process.env["PATH"] ?? "", GANTRY_TASK: mark };
    // A shell with a child of its own: both have it.
    return spawn("sh", ["-c", "sleep 1000 & wait"], { env, detached: true, stdio: "ignore" });
  };
  const ours = begin(`${station}/7`);
  const others = begin(`${randomUUID()}/7`);
  const alike = begin(`${station}0/7`);
  try {
    const ended = new Promise((resolve) => void ours.once("exit", (_, signal) => resolve(signal)));
    assert.ok((await killStrayProcesses(station)) >= 1);
    assert.equal(await ended, "SIGKILL");
    assert.equal(await killStrayProcesses(station), 0);
    for (const { pid } of [others, alike]) assert.ok(existsSync(`/proc/${pid}`));
  } finally {
    for (const { pid } of [others, alike]) process.kill(-(pid as number), "SIGKILL");
  }
});

test("a tree is removed without what is mounted in it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tree "));
  const precious = mkdtempSync(join(tmpdir(), "precious-"));
  writeFileSync(join(precious, "file"), "of the host");
  for (const name of ["deep/er", "deep/er/inner"]) {
    mkdirSync(join(folder, name), { recursive: true });
    await run("mount", "--bind", precious, join(folder, name));
    if (name === "deep/er") mkdirSync(join(precious, "inner"));
  }
  await removeTree(folder, { task: "test/1" });
  assert.equal(existsSync(folder), false);
  assert.equal(readFileSync(join(precious, "file"), "utf8"), "of the host");
  assert.equal(readFileSync("/proc/self/mountinfo", "utf8").includes("tree\\040"), false);
});
