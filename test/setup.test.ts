import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runCommand, systemEnvironment } from "../src/setup/command.ts";
import { type DaemonFolders, daemonPid, startDaemon, stopDaemon } from "../src/setup/daemon.ts";
import { pingDocker } from "../src/setup/docker-ping.ts";
import { testEngines } from "./support/engines.ts";

const env = systemEnvironment(process.env);
let folders: DaemonFolders;
before(() => {
  const folder = mkdtempSync(join(tmpdir(), "setup-"));
  folders = { pids: join(folder, "pids"), logs: join(folder, "logs") };
});
after(() => rmSync(join(folders.pids, ".."), { recursive: true }));

test("a daemon is found by its pid file, and stopped once", async () => {
  await startDaemon(["sleep", "1000"], { ...folders, env });
  const pid = daemonPid("sleep", folders);
  assert.ok(pid);
  assert.equal(readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")[5], String(pid), "it has a session of its own");
  assert.equal(await stopDaemon("sleep", folders, 5000), true);
  assert.equal(daemonPid("sleep", folders), undefined);
  assert.equal(await stopDaemon("sleep", folders, 5000), false);
});

test("a process that only has the pid is left alone", async () => {
  writeFileSync(join(folders.pids, "sleep.pid"), `${process.pid} 1\n`);
  assert.equal(daemonPid("sleep", folders), undefined);
  assert.equal(await stopDaemon("sleep", folders, 5000), false);
});

test("what does not listen to TERM is killed", async () => {
  await startDaemon(["sh", "-c", "trap '' TERM; while :; do sleep 1; done"], { ...folders, env });
  assert.ok(daemonPid("sh", folders));
  assert.equal(await stopDaemon("sh", folders, 300), true);
  assert.equal(daemonPid("sh", folders), undefined);
});

test("a command that fails shows the last lines that it printed", async () => {
  const script = "for n in $(seq 100); do echo line $n; done; exit 3";
  await assert.rejects(runCommand(["sh", "-c", script], env), /sh -c ended with exit code 3:\nline 89\n[^]*line 100$/);
  await assert.rejects(runCommand(["no-such-program"], env), /no-such-program cannot be run/);
});

test("a system's program sees proxies, but no secret of the station", () => {
  const seen = systemEnvironment({
    GANTRY_ADMIN_PASSWORD: "x",
    npm_config_x: "x",
    https_proxy: "http://p",
    PATH: "/x",
  });
  assert.equal(seen["https_proxy"], "http://p");
  assert.deepEqual(Object.keys(seen).toSorted(), ["LC_ALL", "PATH", "https_proxy"]);
});

test("a Docker that answers is told from one that is not there", async () => {
  assert.equal(await pingDocker(testEngines().dockerSocket), "up");
  assert.equal(await pingDocker(join(folders.pids, "none.sock")), "down");
});
