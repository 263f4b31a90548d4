import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { run, runInside } from "../engines/commands.ts";
import { cgroupFiles, cgroupV2 } from "../engines/kernel.ts";
import { killLxd, runLxd } from "../support/lxd.ts";
import { patiently } from "../support/patiently.ts";
import { systemTypes, type SystemType } from "../support/system-station.ts";
import { address, startOpenvzDebian, type OpenvzWorld } from "./openvz-world.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The documented requests, byte for byte but for host and port, and for the version and the id that they leave open. */
const create = `curl -X POST 'http://${address}/v0.1/containers/' \\
--header 'Content-Type: application/json' \\
--data-raw '{
    "name": "ct100",
    "ostemplate": "template1"
}'`;
const get = (id: string) => `curl -X GET 'http://${address}/v0.1/containers/${id}'`;
const update = (id: string) => `curl -X PATCH 'http://${address}/v0.1/containers/${id}' \\
--header 'Content-Type: application/json' \\
--data-raw '{
    "parameters":
 \t{
                "hostname": "hostname1",
\t\t"cpus": "2",
\t\t"memsize": "1",
\t\t"memsize_units": "G",
\t\t"ipadd": "10.0.0.1",
\t\t"size": "10",
\t\t"size_units": "G",
\t\t"nameserver": "1.1.1.1,8.8.8.8"
\t}
}'`;
const getJob = (id: string) => `curl -X GET 'http://${address}/v0.1/jobs/${id}'`;

const parameters = {
  hostname: "hostname1",
  cpus: "2",
  memsize: "1",
  memsize_units: "G",
  ipadd: "10.0.0.1",
  size: "10",
  size_units: "G",
  nameserver: "1.1.1.1,8.8.8.8",
};

for (const type of systemTypes)
  suite(`the documented requests on ${type}`, () => {
    let world: OpenvzWorld;
    before(async () => {
      world = await startOpenvzDebian(type);
    });
    after(() => world.system.close());

    test("create, job, get, update, and all of it again after restarts of container, engine and station", async () => {
      const made = world.shell(create);
      assert.equal(made.status, 202);
      assert.deepEqual(Object.keys(made.json), ["message", "job_id"]);
      assert.equal(made.json.message, "success");
      assert.match(made.json.job_id, uuid);
      const job = made.json.job_id as string;
      assert.equal(world.shell(getJob(job)).json.status, "pending");
      await world.ended(job);
      const done = world.shell(getJob(job));
      assert.equal(done.status, 200);
      assert.match(done.json.entity_id, uuid);
      const id = done.json.entity_id as string;
      assert.deepEqual(done.json, { message: "success", status: "done", entity_type: "container", entity_id: id });

      const first = world.shell(get(id));
      assert.equal(first.status, 200);
      assert.equal(first.json.message, "success");
      const { created_at: created, state, engine, effective, ...rest } = first.json.container;
      assert.deepEqual(rest, { id, name: "ct100", ostemplate: "template1", parameters: null });
      assert.match(created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.deepEqual([state, engine, typeof effective], ["running", type, "object"]);

      // The document's text says a job's UUID, its example a container's.
      for (const named of [job, id]) {
        const answer = world.shell(update(named));
        assert.equal(answer.status, 200, JSON.stringify(answer.json));
        assert.equal(answer.json.message, "success");
        assert.equal(answer.json.code, 0);
        assert.equal((await world.ended(answer.json.job_id)).status, "done");
      }
      const shown = await world.get(id);
      assert.deepEqual(shown["parameters"], parameters);
      await holds(world, type);

      const restarted = await world.send("POST", `/containers/${id}/restart`);
      assert.equal(restarted.status, 202);
      assert.equal((await world.ended(restarted.json.job_id)).status, "done");
      await holds(world, type);
      await restartEngine(world, type);
      await holds(world, type);
      assert.equal(await world.system.station.stop(), 0);
      await world.system.station.start();
      await holds(world, type);
      assert.deepEqual((await world.get(id))["parameters"], parameters);

      const removed = await world.send("DELETE", `/containers/${id}`);
      assert.equal(removed.status, 202);
      assert.equal((await world.ended(removed.json.job_id)).status, "done");
      assert.equal(world.shell(get(id)).status, 404);
      assert.deepEqual(await world.system.names(type), []);
      assert.doesNotMatch(await run("ip", "-4", "route"), /^10\.0\.0\.1 /m, "no route to it is left");
    });
  });

/** All that the documented update asks for, seen from inside and from this host. */
async function holds({ system }: OpenvzWorld, type: SystemType): Promise<void> {
  const pid = await system.pid(type, "ct100");
  assert.ok(pid > 0);
  assert.equal(await runInside(pid, "hostname"), "hostname1");
  // Its name servers are out of reach here.
  assert.match(await runInside(pid, "getent", "hosts", "hostname1"), / hostname1$/);
  const limits = cgroupFiles(pid, "memory", cgroupV2 ? "memory.max" : "memory.limit_in_bytes");
  assert.ok(limits.includes(String(1 << 30)), String(limits));
  const quotas = cgroupFiles(pid, "cpu", cgroupV2 ? "cpu.max" : "cpu.cfs_quota_us");
  assert.ok(quotas.includes(cgroupV2 ? "200000 100000" : "200000"), String(quotas));
  const size = (await runInside(pid, "df", "-B1", "--output=size", "/")).split("\n").at(-1);
  // On LXD's btrfs the limit is a quota, which df does not know of.
  if (type === "lxc") assert.ok(Number(size) > 8.5 * 2 ** 30 && Number(size) <= 10 * 2 ** 30, size);
  await runInside(pid, "sh", "-c", "fallocate -l 2G /fill && rm /fill");
  await assert.rejects(runInside(pid, "fallocate", "-l", "11G", "/fill"), /[Nn]o space|quota exceeded/);
  await runInside(pid, "rm", "-f", "/fill");
  await patiently("its address", async () => {
    await run("busybox", "ping", "-c", "1", "-W", "1", "10.0.0.1");
    const table = await runInside(pid, "ip", "-4", "-o", "addr", "show", "scope", "global");
    assert.deepEqual(
      [...table.matchAll(/inet ([\d.]+)/g)].map(([, one]) => one),
      ["10.0.0.1"],
    );
  });
  await patiently("its name servers", async () => {
    const text = await runInside(pid, "cat", "/etc/resolv.conf");
    assert.deepEqual(
      [...text.matchAll(/^nameserver (\S+)$/gm)].map(([, one]) => one),
      ["1.1.1.1", "8.8.8.8"],
    );
  });
}

/** LXC's is one process for each container; LXD's goes down as by a crash, and its containers run on. */
async function restartEngine({ system }: OpenvzWorld, type: SystemType): Promise<void> {
  if (type === "lxc") {
    await system.killMonitor("ct100");
    return system.startLxc("ct100");
  }
  await killLxd();
  await runLxd();
}
