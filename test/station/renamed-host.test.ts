import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createClient } from "../support/client.ts";
import { removeContainers } from "../support/docker-cli.ts";
import { busybox } from "../support/images.ts";
import { testEngines } from "../support/engines.ts";
import { freePort } from "../support/free-port.ts";
import { adminPassword } from "../support/station.ts";

const root = join(import.meta.dirname, "../..");

test("a host that gets another name keeps its tasks", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "renamed-"));
  const port = await freePort();
  const client = createClient(`http://127.0.0.1:${port}`, adminPassword);
  const own = [
    "--no-setup",
    "--listen",
    `127.0.0.1:${port}`,
    "--data",
    join(folder, "data"),
    "--run",
    join(folder, "run"),
    "--docker",
    testEngines().docker,
  ];
  let station: ChildProcess | undefined;

  async function start(name: string, ...flags: string[]): Promise<void> {
    const inside = [
      "sh",
      "-c",
      'hostname "$0" && exec "$@"',
      name,
      "sh",
      join(root, "scripts/station.sh"),
      ...own,
      ...flags,
    ];
    const env = { ...process.env, GANTRY_ADMIN_PASSWORD: adminPassword };
    station = spawn("unshare", ["--uts", ...inside], { stdio: ["ignore", "pipe", "inherit"], env });
    await once(station.stdout!, "data");
    await client.login();
  }
  async function kill(): Promise<void> {
    station?.kill("SIGKILL");
    if (station) await once(station, "exit");
  }
  context.after(async () => {
    await kill();
    await removeContainers("renamed");
    rmSync(folder, { recursive: true });
  });

  const before = execFileSync("hostname", { encoding: "utf8" });
  await start("alpha", "--heavy", "0");
  const task = await client.add("create", { ...busybox, name: "renamed" });
  await kill();
  await start("beta");
  assert.equal((await client.ended(task.id, 10_000)).state, "completed");
  assert.equal(execFileSync("hostname", { encoding: "utf8" }), before);
});
