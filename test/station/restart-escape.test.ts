import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../support/daemon.ts";
import { dockerApi, removeContainers } from "../support/docker-cli.ts";
import { busybox } from "../support/images.ts";
import { startStation, type TestStation } from "../support/station.ts";

/** A container that puts a link in the place of a folder that it mounts, and is started again by Docker itself. */
const folder = mkdtempSync(join(tmpdir(), "escape-"));
const at = (...path: string[]) => join(folder, ...path);
let station: TestStation;

before(async () => {
  mkdirSync(at("public/sub"), { recursive: true });
  mkdirSync(at("public/made before"), { recursive: true });
  mkdirSync(at("host"));
  station = await startStation({ flags: ["--share", `Public=${at("public")}`] });
});
after(async () => {
  await station.close();
  for (const name of ["escape", "older"]) await removeContainers(name);
});

/** At its first start it makes the link and fails; at its second one it writes, 3 s later. */
function exchange(sub: string): string[] {
  const first = `mv "/pub/${sub}" /pub/old; ln -s ${at("host")} "/pub/${sub}"; exit 1`;
  return ["sh", "-c", `if [ -L "/pub/${sub}" ]; then sleep 3; touch /sub/written; sleep 1000; fi; sleep 2; ${first}`];
}

const inspect = (name: string) =>
  dockerApi<{ RestartCount: number; Config: { Labels: Record<string, string> }; State: { Running: boolean } }>(
    "GET",
    `/containers/${name}/json`,
  );

test("Docker starts it again with the folder that it had", async () => {
  const host = { "/Public": { bind: "/pub" }, "/Public/sub": { bind: "/sub" } };
  const request = { ...busybox, name: "escape", autostart: true, command: exchange("sub"), volume: { host } };
  const task = await station.client.add("create", request);
  assert.equal((await station.client.ended(task.id)).state, "completed");
  assert.ok(await until(async () => (await inspect("escape")).RestartCount > 0, 20_000), "Docker starts it again");
  assert.ok(await until(() => existsSync(at("public/old/written")), 60_000), "it writes to the folder that it had");
  assert.equal((await inspect("escape")).State.Running, true);
  assert.equal(existsSync(at("host/written")), false);
});

test("of an older version, whose Docker was given the path: it is stopped", async () => {
  const { Config } = await inspect("escape");
  const mount = (source: string, target: string) => ({ Type: "bind", Source: source, Target: target });
  await dockerApi("POST", "/containers/create?name=older", {
    Image: "busybox",
    Labels: { "gantry.task": Config.Labels["gantry.task"] },
    Cmd: exchange("made before"),
    HostConfig: {
      RestartPolicy: { Name: "always" },
      Mounts: [mount(at("public"), "/pub"), mount(at("public/made before"), "/sub")],
    },
  });
  await dockerApi("POST", "/containers/older/start");
  assert.ok(await until(async () => (await inspect("older")).RestartCount > 0, 20_000), "Docker starts it again");
  assert.ok(await until(async () => !(await inspect("older")).State.Running, 2_500), "it is stopped");
  await sleep(4_000);
  assert.equal((await inspect("older")).State.Running, false, "and stays so");
  assert.equal(existsSync(at("host/written")), false);
  assert.match(station.errors(), /a folder that it mounts was exchanged/);
});

test("a container that has another one's folders keeps them when that one is removed", async () => {
  mkdirSync(at("public/common"));
  const { client } = station;
  const make = async (name: string, volume: object) => {
    const task = await client.add("create", { ...busybox, name, volume, command: ["sleep", "1000"] });
    assert.equal((await client.ended(task.id)).error, undefined);
  };
  await make("escape-lender", { host: { "/Public/common": { bind: "/common" } } });
  await make("escape-borrower", { container: ["escape-lender"] });
  await client.ok("DELETE", "/container/docker/escape-lender?force=true");
  await client.ok("PUT", "/container/docker/escape-borrower/restart?timeout=0");
  const { exitCode } = await client.ok<{ exitCode: number }>("POST", "/container/docker/escape-borrower/exec", {
    command: ["touch", "/common/written"],
  });
  assert.equal(exitCode, 0);
  assert.equal(existsSync(at("public/common/written")), true);
  const mounted = () => readFileSync("/proc/self/mountinfo", "utf8").includes("Public%2Fcommon");
  assert.equal(mounted(), true);
  await client.ok("DELETE", "/container/docker/escape-borrower?force=true");
  assert.ok(await until(() => !mounted(), 30_000), "with the last container that has it the mount goes");
});
