import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../support/daemon.ts";
import { dockerApi, removeContainers } from "../support/docker-cli.ts";
import { busybox } from "../support/images.ts";
import { startStation } from "../support/station.ts";

/** Docker opens a mounted folder by its path at every start; whoever can write beside it can put a link there. */
test(
  "a container that exchanges its folder for a link is stopped when it starts again",
  { timeout: 60_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "escape-"));
    const at = (...path: string[]) => join(folder, ...path);
    mkdirSync(at("public/sub"), { recursive: true });
    mkdirSync(at("host"));
    const station = await startStation({ flags: ["--share", `Public=${at("public")}`] });
    const first = `mv /pub/sub /pub/old; ln -s ${at("host")} /pub/sub; exit 1`;
    const command = [
      "sh",
      "-c",
      `if [ -L /pub/sub ]; then sleep 3; touch /sub/written; sleep 1000; fi; sleep 2; ${first}`,
    ];
    const host = { "/Public": { bind: "/pub" }, "/Public/sub": { bind: "/sub" } };
    try {
      const task = await station.client.add("create", {
        ...busybox,
        name: "escape",
        autostart: true,
        command,
        volume: { host },
      });
      assert.equal((await station.client.ended(task.id)).state, "completed");
      const inspect = () =>
        dockerApi<{ RestartCount: number; State: { Running: boolean } }>("GET", "/containers/escape/json");
      assert.ok(await until(async () => (await inspect()).RestartCount > 0, 20_000), "Docker starts it again");
      assert.ok(await until(async () => !(await inspect()).State.Running, 2_500), "it is stopped");
      await sleep(4_000);
      assert.equal((await inspect()).State.Running, false, "and stays so");
      assert.equal(existsSync(at("host/written")), false);
      assert.match(station.errors(), /a folder that it mounts was exchanged/);
    } finally {
      await station.close();
      await removeContainers("escape");
    }
  },
);
