import assert from "node:assert/strict";
import { test } from "node:test";
import type { EngineType } from "../../../src/engines/engine.ts";

export interface Ran {
  exitCode: number;
  stdout: string;
  stderr: string;
  truncated: boolean;
}

export interface Programs {
  exec(body: unknown): Promise<Ran>;
  refused(body: unknown): Promise<{ status: number; message: string; field?: string }>;
}

/** What every engine tells alike of a program that is run in a container. */
export function programTests(type: EngineType, { exec, refused }: Programs): void {
  test("user and folder", async () => {
    const { stdout } = await exec({ command: ["sh", "-c", "id -u; id -g; pwd"], user: "0:7", working_dir: "/etc" });
    assert.equal(stdout, "0\n7\n/etc\n");
    for (const working_dir of ["/nope", "/etc; id", "/bin/busybox"]) {
      const { status, field, message } = await refused({ command: ["pwd"], working_dir });
      assert.deepEqual([status, field], [400, "working_dir"]);
      assert.ok(message.startsWith("working_dir cannot be entered: "), message);
    }
    for (const user of ["nobody-here", "0:nobody-here", "4294967295", "0:4294967295", "9999999999"]) {
      const { status, field } = await refused({ command: ["id"], user });
      assert.deepEqual([status, field], [400, "user"], user);
    }
    // Beyond the ids that a system container has; Docker's have those of the host.
    for (const user of ["2000000000", "0:2000000000"]) {
      const { status, field } = await refused({ command: ["id"], user });
      assert.deepEqual([status, field], type === "docker" ? [200, undefined] : [400, "user"], user);
    }
  });

  test("a program's own words and code are left as they are, also those of one that is not there", async () => {
    for (const [shell, code, stdout, stderr] of [
      ["exit 127", 127, "", ""],
      ["exit 126", 126, "", ""],
      [
        "echo OCI runtime exec failed: executable file not found; exit 126",
        126,
        "OCI runtime exec failed: executable file not found\n",
        "",
      ],
      ["echo lxc-attach: x: Failed to exec >&2; exit 127", 127, "", "lxc-attach: x: Failed to exec\n"],
      ["echo chdir to cwd; exit 126", 126, "chdir to cwd\n", ""],
    ] as const) {
      const ran = await exec({ command: ["sh", "-c", shell] });
      assert.deepEqual(ran, { exitCode: code, stdout, stderr, truncated: false });
    }
  });

  test("the output of many programs at once is whole", async () => {
    const command = ["sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x"];
    for (let round = 0; round < 4; round++) {
      const all = await Promise.all(Array.from({ length: 16 }, () => exec({ command })));
      for (const { stdout, truncated } of all) assert.deepEqual([stdout.length, truncated], [100_000, false]);
    }
  });

  test("what is no program", async () => {
    const missing = { exitCode: 127, stdout: "", stderr: "gantry-no-such-program: not found\n", truncated: false };
    for (const working_dir of [undefined, "/etc"])
      assert.deepEqual(await exec({ command: ["gantry-no-such-program"], working_dir }), missing);
    const unfit = { exitCode: 126, stdout: "", stderr: "/etc: cannot be executed\n", truncated: false };
    assert.deepEqual(await exec({ command: ["/etc"] }), unfit);
    assert.equal((await refused({ command: "" })).status, 400);
    assert.equal((await refused({ command: [] })).status, 400);
    assert.equal((await refused({ command: "'open" })).field, "command");
    assert.equal((await refused({})).status, 400);
    assert.equal((await refused({ command: ["true"], shell: true })).status, 400);
  });
}
