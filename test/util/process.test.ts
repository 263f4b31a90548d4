import assert from "node:assert/strict";
import { once } from "node:events";
import { globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { keepEnd, keepStart } from "../../src/util/process/kept-output.ts";
import { runChild, wasKilled } from "../../src/util/process/run-child.ts";
import { runProcess, type RunOptions } from "../../src/util/process/run-process.ts";
import { startProcess, type Argv, type StartedProcess } from "../../src/util/process/start-process.ts";
import { systemPath } from "../../src/util/process/system-path.ts";

const source = join(import.meta.dirname, "../../src");
const nobody = { uid: 65_534, gid: 65_534 };

async function outputOf(argv: Argv, options: RunOptions = {}) {
  const [stdout, stderr] = [keepEnd(65_536), keepEnd(65_536)];
  const end = await runProcess(argv, { stdout, stderr, ...options });
  return { ...end, stdout: stdout.text().trim(), stderr: stderr.text().trim() };
}

/** A shell that starts a further process, which would outlive it, and says so. */
const withDescendant: Argv = ["sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo started; wait"];

/** Waits until no process of a group is left but such as nobody has reaped. */
async function groupEnded({ child }: StartedProcess): Promise<void> {
  const isIn = (pid: string): boolean => {
    try {
      const [state, , group] = readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /, "")
        .split(" ");
      return group === String(child.pid) && state !== "Z";
    } catch {
      return false;
    }
  };
  while (readdirSync("/proc").some((name) => /^\d+$/.test(name) && isIn(name))) await delay(5);
}

test("an abort kills a process and all that it has started", async () => {
  const abort = new AbortController();
  const started = startProcess(withDescendant, { signal: abort.signal, stdio: ["ignore", "pipe", "ignore"] });
  await once(started.child.stdout as Readable, "data");
  abort.abort();
  assert.deepEqual(await started.ended, { code: null, killedBy: "SIGKILL", stopped: "aborted" });
  await groupEnded(started);
});

test("a process that is over its time is killed, and all that it has started", async () => {
  const started = startProcess(withDescendant, { limits: { time: 300 }, stdio: "ignore" });
  assert.deepEqual(await started.ended, { code: null, killedBy: "SIGKILL", stopped: "timeout" });
  await groupEnded(started);
});

test("a process leads a group of its own; one in the foreground stays in the station's", async () => {
  const group = ["sh", "-c", 'cut -d " " -f 5 "/proc/$$/stat"; echo $$'] as const;
  const [own, pid] = (await outputOf(group)).stdout.split("\n");
  assert.equal(own, pid);
  const station = readFileSync("/proc/self/stat", "utf8").split(" ")[4];
  assert.equal((await outputOf(group, { foreground: true })).stdout.split("\n")[0], station);
});

test("what is aborted before its start is not started", async () => {
  assert.deepEqual(await runProcess(["no-such-program"], { signal: AbortSignal.abort() }), {
    code: null,
    killedBy: null,
    stopped: "aborted",
  });
});

test("a process sees the mark of its task, a fixed PATH and what it is given, and nothing of the station's environment", async () => {
  const options = { task: "station/7", env: { TZ: "UTC", PATH: "/tmp", GANTRY_TASK: "other/1" } };
  const { stdout } = await outputOf(["env"], options);
  assert.deepEqual(stdout.split("\n").toSorted(), [
    "GANTRY_TASK=station/7",
    "LC_ALL=C",
    `PATH=${systemPath}`,
    "TZ=UTC",
  ]);
  assert.deepEqual((await outputOf(["env"])).stdout.split("\n").toSorted(), ["LC_ALL=C", `PATH=${systemPath}`]);
});

test("no shell reads the arguments", async () => {
  const { stdout } = await outputOf(["printf", "%s|", "$(id)", "a b", "; id", "*", ""]);
  assert.equal(stdout, "$(id)|a b|; id|*||");
});

test("of a long output the start or the end is kept", async () => {
  const [start, end] = [keepStart(10), keepEnd(10)];
  const script = "seq 100000; seq 100000 >&2; exit 3";
  assert.equal((await runProcess(["sh", "-c", script], { stdout: start, stderr: end })).code, 3);
  assert.deepEqual([start.text(), start.truncated()], ["1\n2\n3\n4\n5\n", true]);
  assert.deepEqual([end.text(), end.truncated()], ["99\n100000\n", true]);
});

test("input is read to its end, also by a program that reads nothing of it", async () => {
  const input = "x".repeat(1_000_000);
  assert.equal((await outputOf(["wc", "-c"], { input })).stdout, "1000000");
  assert.equal((await outputOf(["true"], { input })).code, 0);
  assert.equal((await outputOf(["readlink", "/proc/self/fd/0"])).stdout, "/dev/null");
});

test("a process and what it starts get no more memory than the limit", async () => {
  const script = ["sh", "-c", `perl -e '$x = "a" x 200_000_000; print length $x'; :`] as const;
  assert.equal((await outputOf(script)).stdout, "200000000");
  const limited = await outputOf(script, { limits: { memory: 100_000_000 } });
  assert.equal(limited.stdout, "");
  assert.match(limited.stderr, /memory/i);
});

test("a process of another user has that user's rights only, and cannot gain others", async () => {
  const script = "id -u; id -g; id -G; grep -E 'NoNewPrivs|CapPrm|CapInh' /proc/self/status";
  const groups = process.getgroups?.() ?? [];
  process.setgroups?.([4, 27]);
  const { stdout } = await outputOf(["sh", "-c", script], { limits: { user: nobody, memory: 1e9 } }).finally(() =>
    process.setgroups?.(groups),
  );
  const zero = "0".repeat(16);
  assert.deepEqual(stdout.split("\n"), [
    "65534",
    "65534",
    "65534",
    `CapInh:\t${zero}`,
    `CapPrm:\t${zero}`,
    "NoNewPrivs:\t1",
  ]);
});

test("what cannot be started is told, with limits too", async () => {
  for (const limits of [{}, { memory: 1e9 }, { user: nobody }]) {
    const { fault, ...end } = await runProcess(["no-such-program", "x"], { limits });
    assert.equal((fault as NodeJS.ErrnoException).code, "ENOENT");
    assert.match(String(fault), /no-such-program/);
    assert.deepEqual(end, { code: null, killedBy: null });
  }
  const tooLong = await runProcess(["true", "x".repeat(10_000_000)], {});
  assert.equal((tooLong.fault as NodeJS.ErrnoException).code, "E2BIG");
  const notText = await runProcess(["true", "a\0b"], {});
  assert.equal((notText.fault as NodeJS.ErrnoException).code, "ERR_INVALID_ARG_VALUE");
});

test("without file descriptors left a program is a fault, and the station goes on", async () => {
  const script = `
    import { openSync } from "node:fs";
    import { runProcess } from ${JSON.stringify(join(source, "util/process/run-process.ts"))};
    import { keepEnd } from ${JSON.stringify(join(source, "util/process/kept-output.ts"))};
    try { for (;;) openSync("/dev/null"); } catch {}
    const end = await runProcess(["true"], { input: "x", stdout: keepEnd(10), stderr: keepEnd(10) });
    console.log(end.fault.code);`;
  const node = [process.execPath, "--input-type=module", "-e", script] as const;
  const { stdout, stderr } = await outputOf(["prlimit", "--nofile=100", ...node]);
  assert.deepEqual([stdout, stderr], ["EMFILE", ""]);
});

test("the output of a program is returned; its failure says why, and whether somebody killed it", async () => {
  assert.equal(await runChild(["cat"], { task: "station/7", input: "text" }), "text");
  const failing = (script: string) => runChild(["sh", "-c", script], { task: "station/7" });
  await assert.rejects(failing("echo reason >&2; exit 3"), { code: "engine_failed", message: "sh failed: reason" });
  await assert.rejects(failing("exit 3"), { code: "engine_failed", message: "sh failed: exit code 3" });
  await assert.rejects(failing("kill -9 $$"), (error: Error) => {
    assert.equal(error.message, "sh failed: ended by SIGKILL");
    return wasKilled(error);
  });
  const missing = { code: "engine_failed", message: "no-such-program cannot be run on this host." };
  await assert.rejects(runChild(["no-such-program"], { task: "station/7" }), missing);
  const signal = AbortSignal.abort();
  await assert.rejects(runChild(["true"], { task: "station/7", signal }), { code: "cancelled" });
});

test("nothing else in the station starts processes", () => {
  const starts = /^import (?!type\b).*from "node:child_process"|import\("node:child_process"\)/m;
  const files = globSync("**/*.ts", { cwd: source }).filter((file) =>
    starts.test(readFileSync(join(source, file), "utf8")),
  );
  assert.deepEqual(files, ["util/process/start-process.ts"]);
});
