import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "../engines/commands.ts";
import { startOpenvz, type OpenvzWorld } from "./openvz-world.ts";

const many = 50;

test(`${many} creates at once are ${many} jobs and ${many} containers; of a name that is asked for twice there is one`, async () => {
  const world = await startOpenvz("lxc");
  try {
    const names = Array.from({ length: many }, (_, n) => `many-${n}`);
    const create = (name: string) => world.send("POST", "/containers/", { name, ostemplate: "small" });
    const answers = await Promise.all(names.map(create));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [202]);
    const jobs = answers.map(({ json }) => json.job_id as string);
    assert.equal(new Set(jobs).size, many);
    const again = await Promise.all(names.slice(0, 10).map(create));
    assert.deepEqual([...new Set(again.map(({ status }) => status))], [422]);
    const ended = await Promise.all(jobs.map(world.ended));
    assert.deepEqual([...new Set(ended.map(({ status }) => status))], ["done"]);
    assert.equal(new Set(ended.map((job) => job["entity_id"])).size, many);
    const { containers } = (await world.send("GET", "/containers/")).json;
    const namesOf = (list: { name: string; state: string }[]) => list.map(({ name, state }) => `${name} ${state}`);
    assert.deepEqual(namesOf(containers).toSorted(), names.map((name) => `${name} running`).toSorted());
    assert.deepEqual((await world.system.names("lxc")).toSorted(), names.toSorted());
    assert.equal((await world.send("GET", "/jobs/")).json.jobs.length, many);

    const removals = await Promise.all(
      ended.map((job) => world.send("DELETE", `/containers/${job["entity_id"]}`).then(({ json }) => json.job_id)),
    );
    const gone = await Promise.all(removals.map(world.ended));
    assert.deepEqual([...new Set(gone.map(({ status }) => status))], ["done"]);
    assert.deepEqual((await world.send("GET", "/containers/")).json.containers, []);
    assert.deepEqual(await world.system.names("lxc"), []);
    // In no list of the documented background tasks.
    assert.deepEqual(await world.system.station.client.tasks(), []);
  } finally {
    await world.system.close();
  }
});

/** A disk of so many MiB, which can be filled to its last block. */
function smallDisk(mebibytes: number) {
  const folder = mkdtempSync(join(tmpdir(), "small-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m,mode=711`, "tmpfs", folder]);
  const filler = join(folder, ".filler");
  return {
    folder,
    fill(): void {
      for (let size = 1 << 20; size >= 1;) {
        try {
          appendFileSync(filler, Buffer.alloc(size));
        } catch {
          size = Math.floor(size / 2);
        }
      }
    },
    free(): void {
      rmSync(filler);
    },
    close(): void {
      execFileSync("umount", ["-l", folder]);
      rmSync(folder, { recursive: true });
    },
  };
}

test("a full disk under LXC is a job that failed; one under the station is 507 with its code, and nothing changed", async () => {
  const [data, containers] = [smallDisk(48), smallDisk(32)];
  let world: OpenvzWorld | undefined;
  try {
    const flags = ["--lxc-path", containers.folder];
    world = await startOpenvz("lxc", { dataDir: join(data.folder, "data"), flags });
    const there = () => readdirSync(containers.folder).filter((name) => !name.startsWith("."));
    const id = await world.make("full-one");
    containers.fill();
    const asked = await world.send("POST", "/containers/", { name: "full-two", ostemplate: "small" });
    assert.equal(asked.status, 202, JSON.stringify(asked.json));
    const job = await world.ended(asked.json.job_id);
    assert.equal(job["status"], "failed");
    assert.match(job["error"] ?? "", /full|space/i);
    assert.deepEqual(there(), ["full-one"]);
    assert.equal((await world.send("GET", "/containers/")).json.containers.length, 1);
    containers.free();
    const second = await world.make("full-two");
    const removed = await world.send("DELETE", `/containers/${second}`);
    assert.equal((await world.ended(removed.json.job_id))["status"], "done");

    const shown = await world.get(id);
    data.fill();
    const long = { hostname: "full", description: "x".repeat(4000) };
    const refused = [
      await world.send("POST", "/containers/", { name: "full-two", ostemplate: "small" }),
      await world.update(id, long),
      await world.send("DELETE", `/containers/${id}`),
    ];
    for (const { status, json } of refused) {
      assert.deepEqual([status, json.code], [507, 200], JSON.stringify(json));
      assert.match(json.message, /disk .* is full/);
    }
    assert.deepEqual(await world.get(id), shown);
    assert.deepEqual(there(), ["full-one"]);
    const stopped = await world.send("POST", `/containers/${id}/stop`);
    assert.equal(stopped.status, 202, "a container can be stopped all the same");
    assert.equal((await world.ended(stopped.json.job_id))["status"], "done");
    await run("lxc-destroy", "-P", containers.folder, "-f", "-n", "full-one");
  } finally {
    await world?.system.close();
    for (const disk of [data, containers]) disk.close();
  }
});
