import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { run, runInside } from "../engines/commands.ts";
import { cgroupFiles } from "../engines/kernel.ts";
import { until } from "../support/daemon.ts";
import { startOpenvz, type OpenvzWorld } from "./openvz-world.ts";

let world: OpenvzWorld;
let id: string;
let other: string;
before(async () => {
  world = await startOpenvz("lxc");
  id = await world.make("bad-one");
  other = await world.make("bad-two", "test/other");
});
after(() => world.system.close());

/** All that a refused request could have changed: the configuration, the control groups, the disk, the records. */
async function picture(): Promise<unknown> {
  const { system } = world;
  const pid = await system.pid("lxc", "bad-one");
  const config = readFileSync(join(system.lxc.path, "bad-one", "config"), "utf8");
  const files = ["memory.limit_in_bytes", "memory.max", "cpu.cfs_quota_us", "cpu.max"];
  return {
    pid,
    config,
    groups: files.map((file) => cgroupFiles(pid, file.split(".")[0] ?? "", file)),
    size: (await runInside(pid, "df", "-k", "/")).split("\n").at(-1)?.split(/\s+/)[1],
    hostname: await runInside(pid, "hostname"),
    etc: await runInside(pid, "sh", "-c", "cat /etc/*"),
    names: await system.names("lxc"),
    containers: (await world.send("GET", "/containers/")).json,
    jobs: (await world.send("GET", "/jobs/")).json.jobs.length,
  };
}

const unknown = "54e21881-8620-4bb0-95f1-05f143973a6e";
const full = { name: "bad-three", ostemplate: "small" };

test("what is wrong is refused with the documented code and the field's name, and changes nothing", async (context) => {
  const used = await addressOf("bad-two");
  await runInside(await world.system.pid("lxc", "bad-one"), "dd", "if=/dev/zero", "of=/fill", "bs=1M", "count=20");
  // The text must say which field it is.
  const creates: [unknown, number, RegExp][] = [
    [{ ostemplate: "small" }, 400, /^name is missing or empty$/],
    [{ ...full, name: "" }, 400, /^name is missing or empty$/],
    [{ name: "bad-three" }, 400, /^ostemplate is missing or empty$/],
    [{ ...full, ostemplate: "" }, 400, /^ostemplate is missing or empty$/],
    [
      { ...full, ostemplate: "nosuch" },
      400,
      /^ostemplate names no template .*: "nosuch"\. The image server .* has no /,
    ],
    [{ ...full, ostemplate: "../../etc" }, 400, /^ostemplate names no template of this station: "..\/..\/etc"$/],
    [{ ...full, ostemplate: "__proto__" }, 400, /^ostemplate /],
    [{ ...full, name: "bad-one" }, 422, /^A container with given name already exists$/],
    [{ ...full, name: 3 }, 400, /^name /],
    [{ ...full, name: "-rf" }, 400, /^name /],
    [{ ...full, name: "a/b" }, 400, /^name /],
    [{ ...full, name: "$(reboot)" }, 400, /^name /],
    [[full], 400, /body/],
    ["{", 400, /JSON/],
    [undefined, 400, /^body is missing or empty$/],
  ];
  const updates: [unknown, number, RegExp][] = [
    [undefined, 400, /^body is missing or empty$/],
    [{}, 400, /^parameters is missing or empty$/],
    [{ parameters: { hostname: "a" }, colour: "red" }, 400, /^colour /],
    [{ parameters: null }, 400, /^parameters /],
    [{ parameters: [] }, 400, /^parameters /],
    ...Object.entries({
      colour: ["red"],
      hostname: ["", " ", "a b", "-a", "a-", "x".repeat(64), "a;reboot", 1, null],
      cpus: ["", "0", "-1", "two", "0.001", "1e3", "0x2", "99999", 2],
      memsize: ["", "0", "-1", "1", "lots", "9999999999999", 1, ["1"]],
      memsize_units: ["G"],
      size: ["", "0", "-1", "lots", 10],
      size_units: ["G"],
      ipadd: [
        "",
        "10.0.0",
        "10.0.0.1,",
        "300.1.1.1",
        "127.0.0.1",
        "224.0.0.1",
        "10.0.0.1/33",
        "10.0.0.1/24/8",
        "10.0.0.1/1",
        "192.0.2.0/24",
        "10.0.0.1".padEnd(5000),
        used,
      ],
      nameserver: ["", "one", "1.1.1.1;8.8.8.8", "1.1.1.1,,8.8.8.8", "1.1.1.1".padEnd(5000), 1],
      description: [1, "a\u0000b", "x".repeat(5000)],
    }).flatMap(([name, values]) =>
      values.map((value): [unknown, number, RegExp] => [
        { parameters: { [name]: value } },
        value === used ? 422 : 400,
        new RegExp(`^(parameters\\.)?${name.replace("_units", "")}\\b`),
      ]),
    ),
    ...["X", "", "GG", "Gib/s"].map((units): [unknown, number, RegExp] => [
      { parameters: { memsize: "1", memsize_units: units } },
      400,
      /^memsize_units /,
    ]),
    // Below what its files take.
    [{ parameters: { size: "16", size_units: "M" } }, 422, /^size /],
    // One wrong among right ones.
    [{ parameters: { hostname: "good", cpus: "1", memsize: "512", memsize_units: "M", ipadd: "no" } }, 400, /^ipadd /],
  ];
  const before = await picture();
  let asked = 0;
  async function refused(method: string, path: string, table: [unknown, number, RegExp][]): Promise<void> {
    for (const [body, status, message] of table) {
      const answer = await world.send(method, path, body);
      const where = `${method} ${JSON.stringify(body)}: ${answer.status} ${JSON.stringify(answer.json)}`;
      assert.equal(answer.status, status, where);
      assert.deepEqual(Object.keys(answer.json), ["code", "message"], where);
      assert.equal(answer.json.code, 100, where);
      assert.match(answer.json.message, message, where);
      asked++;
    }
  }
  await refused("POST", "/containers/", creates);
  await refused("PATCH", `/containers/${id}`, updates);
  for (const at of [unknown, "1", "..%2f..", "x".repeat(200)]) {
    for (const method of ["GET", "DELETE"])
      await refused(method, `/containers/${at}`, [[undefined, 404, /^no such container$/]]);
    for (const verb of ["start", "stop", "restart"])
      await refused("POST", `/containers/${at}/${verb}`, [[undefined, 404, /^no such container$/]]);
    await refused("PATCH", `/containers/${at}`, [[{ parameters: { hostname: "a" } }, 404, /^no such container$/]]);
    await refused("GET", `/jobs/${at}`, [[undefined, 404, /^no such job$/]]);
  }
  assert.deepEqual(await picture(), before);
  context.diagnostic(`${asked} requests refused`);
});

test("a create that fails leaves neither a container nor a record; its job says why", async () => {
  const before = await picture();
  const made = await world.send("POST", "/containers/", { ...full, ostemplate: "test/wrong" });
  assert.equal(made.status, 202);
  const job = await world.ended(made.json.job_id);
  assert.equal(job["status"], "failed");
  assert.ok((job["error"] ?? "").length > 10, JSON.stringify(job));
  assert.deepEqual(Object.keys(job), ["message", "status", "error"]);
  assert.deepEqual({ ...((await picture()) as object), jobs: 0 }, { ...(before as object), jobs: 0 });
});

test("what an earlier update set stays, and the map is the last one; a description is for people", async () => {
  const parameters = { cpus: "0.5", memsize: "256", memsize_units: "MiB", description: "one of mine" };
  assert.equal((await world.update(id, parameters)).status, 200);
  const second = await world.update(id, { hostname: "changed" });
  assert.deepEqual([second.status, second.json.code, second.json.restart], [200, 0, undefined]);
  const { parameters: last, effective } = await world.get(id);
  assert.deepEqual(last, { hostname: "changed" });
  const { hostname, cpus, memsize, memsize_units: units, description } = effective;
  assert.deepEqual(
    { hostname, cpus, memsize, units, description },
    { hostname: "changed", cpus: "0.5", memsize: "256", units: "M", description: "one of mine" },
  );
  const cleared = await world.update(id, {});
  assert.deepEqual([cleared.status, cleared.json.code, cleared.json.restart], [200, 0, undefined]);
  const { parameters: none, effective: still } = await world.get(id);
  assert.deepEqual([none, still], [{}, effective], "an empty map clears what is shown, and changes nothing");
});

test("keys beside name and ostemplate are accepted, and named in warnings", async () => {
  const odd = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`odd${index}`, index]));
  const { status, json } = await world.send("POST", "/containers/", {
    ...full,
    name: "bad-odd",
    colour: "red",
    ...odd,
  });
  assert.equal(status, 202, JSON.stringify(json));
  const { warnings } = json as { warnings: string[] };
  assert.deepEqual([warnings[0], warnings.length], ["colour is not known, and was passed over.", 17]);
  assert.equal(warnings.at(-1), "2 more keys are not known.");
  const { entity_id: made = "" } = await world.ended(json.job_id);
  await world.ended((await world.send("DELETE", `/containers/${made}`)).json.job_id);
});

test("stop, start, delete; a container that is removed by another way is not there any more either", async () => {
  const job = async (method: string, path: string) => {
    const { status, json } = await world.send(method, path);
    assert.equal(status, 202, JSON.stringify(json));
    return world.ended(json.job_id);
  };
  const at = `/containers/${id}`;
  assert.equal((await job("POST", `${at}/stop`))["status"], "done");
  assert.equal((await world.get(id))["state"], "stopped");
  assert.equal((await job("POST", `${at}/start`))["status"], "done");
  assert.equal((await world.get(id))["state"], "running");
  // It is an ordinary container of the station.
  const { client } = world.system.station;
  await client.ok("POST", "/container/lxc/bad-one/pause");
  assert.equal((await world.get(id))["state"], "paused");
  await client.ok("POST", "/container/lxc/bad-one/unpause");
  await client.ok("POST", "/container/lxc/bad-one/rename", { name: "bad-new" }).catch(() => undefined);
  assert.equal((await job("DELETE", at))["status"], "done");
  assert.equal((await world.send("GET", at)).status, 404);

  const third = await world.make("bad-three");
  await client.ok("DELETE", "/container/lxc/bad-three?force=true");
  assert.equal((await world.send("GET", `/containers/${third}`)).status, 404);
  await world.system.remove("lxc", "bad-two");
  assert.ok(await until(async () => (await world.send("GET", `/containers/${other}`)).status === 404, 30_000));
  assert.deepEqual((await world.send("GET", "/containers/")).json, { message: "success", containers: [] });
  assert.deepEqual(await world.system.names("lxc"), []);
});

test("while the image server cannot be reached, a create from what is not here is for later, and one from what is here is made", async () => {
  await world.system.images.close();
  const { status, json } = await world.send("POST", "/containers/", { ...full, ostemplate: "ubuntu/bionic" });
  assert.deepEqual([status, json.code], [503, 200], JSON.stringify(json));
  assert.match(json.message, /^The image server .* is not in reach .* Try again later\.$/);
  await world.make("bad-here");
});

async function addressOf(name: string): Promise<string> {
  let address = "";
  assert.ok(
    await until(async () => {
      const table = await run("lxc-info", "-P", world.system.lxc.path, "-n", name, "-iH").catch(() => "");
      address = /^[\d.]+$/m.exec(table)?.[0] ?? "";
      return address !== "";
    }, 20_000),
  );
  return address;
}
