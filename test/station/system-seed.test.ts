import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Task } from "../../src/api/task.ts";
import { run, runInside } from "../engines/commands.ts";
import { cgroupFile, cgroupV2, mounts } from "../engines/kernel.ts";
import { logOf } from "../support/activity-log.ts";
import { startSystemWorld, type SystemWorld } from "../support/system-station.ts";

/** The documented requests for LXC and LXD, byte for byte, sent by curl as the document sends them. */
const bodies = {
  lxc: `{
        "type": "lxc",
        "repository": "qnap",
        "name": "ctest",
        "image": "ubuntu-bionic",
        "tag": "latest"
    }`,
  lxd: `{
        "type": "lxd",
        "name": "lxdTest",
        "image": "ubuntu",
        "tag": "bionic",
        "repository": "lxd",
        "autostart": true,
        "network": {
            "port": [
                [
                    12345,
                    1234,
                    "udp"
                ]
            ]
        },
        "resource": {
            "device": [
                [
                    "allow",
                    "video4linux_(81)",
                    "rw"
                ]
            ],
            "limit": {
                "cputime": 512,
                "memory": "768m"
            }
        },
        "volume": {
            "host": {
                "/test/selenium": {
                    "bind": "/mnt/vol1",
                    "ro": true
                }
            }
        }
    }`,
} as const;

let world: SystemWorld;
let share: string;
before(async () => {
  share = mkdtempSync(join(tmpdir(), "share-"));
  chmodSync(share, 0o711);
  mkdirSync(join(share, "selenium"));
  writeFileSync(join(share, "selenium/file"), "of the host");
  world = await startSystemWorld({ flags: ["--share", `test=${share}`] });
});
after(() => world.close());

function post(body: string): Task {
  const { url, client } = world.station;
  const at = `${url}/container-station/api/v1/background/create`;
  const sent = ["-sq", "-XPOST", "-H", `cookie: ${client.cookie()}`, "-d", body, at];
  return JSON.parse(execFileSync("curl", sent, { encoding: "utf8" })) as Task;
}

/** Sends it, and compares the answer and the task's end key by key; answers the first process of what was made. */
async function made(type: "lxc" | "lxd"): Promise<number> {
  const params = JSON.parse(bodies[type]) as { name: string };
  const { id, init, progress, ...accepted } = post(bodies[type]);
  assert.ok(Number.isInteger(id) && Math.abs(init - Date.now() / 1000) < 5);
  assert.equal(progress, -1);
  const { name } = params;
  const same = { category: "create", deletable: false, detail_state: "", name, params, user: "admin" };
  assert.deepEqual(accepted, { ...same, state: "waiting" });
  const { start, end, error, ...rest } = await world.station.client.ended(id);
  assert.equal(error, undefined);
  assert.ok(init <= (start ?? 0) && (start ?? 0) <= (end ?? 0));
  assert.deepEqual(rest, { ...same, id, init, progress: 100, result: 0, state: "completed" });
  assert.deepEqual(await logOf(world.station, name), [
    `INFO Start to do background task (create, ${name})`,
    `INFO Create container (${type}, ${name})`,
    `INFO Finished background task (create, ${name})`,
  ]);
  const pid = await world.pid(type, name);
  assert.ok(pid > 0);
  return pid;
}

test("the seed's lxc create makes a running container", async () => {
  const pid = await made("lxc");
  assert.equal(await runInside(pid, "hostname"), "ctest");
  assert.match(readFileSync(join(world.lxc.path, "ctest/config"), "utf8"), /^lxc\.uts\.name = ctest$/m);
});

test("an LXC container with a device that this host has no node of: the task says so", async () => {
  const device = [
    ["allow", "IrDA_(161)", "rw"],
    ["allow", "DVB_(212)", "rw"],
  ];
  const body = { ...(JSON.parse(bodies.lxc) as object), name: "ctest-devices", resource: { device } };
  const { id } = await world.station.client.add("create", body);
  const ended = await world.station.client.ended(id);
  assert.deepEqual([ended.state, ended.result, ended.error], ["completed", 0, undefined]);
  assert.equal(ended.detail_state, "This host has no node of IrDA_(161), DVB_(212): the container has none either.");
});

test("the seed's lxd create makes a running container with all that it asks for", async () => {
  const pid = await made("lxd");
  const [quota, period, memory] = cgroupV2
    ? [...(cgroupFile(pid, "cpu", "cpu.max") ?? "").split(" "), cgroupFile(pid, "memory", "memory.max")]
    : ["cpu.cfs_quota_us", "cpu.cfs_period_us", "memory.limit_in_bytes"].map((file) =>
        cgroupFile(pid, file.split(".")[0] ?? "", file),
      );
  assert.equal(Number(quota) / Number(period), 0.512);
  assert.equal(memory, String(768 << 20));
  const mounted = mounts(pid).find(({ target }) => target === "/mnt/vol1");
  assert.equal(mounted?.readOnly, true);
  assert.equal(await run("nsenter", "-t", String(pid), "-a", "cat", "/mnt/vol1/file"), "of the host");
  const instance = await world.lxd.get<{ config: Record<string, string> }>("/1.0/instances/lxdTest");
  assert.equal(instance.config["boot.autostart"], "true");
  assert.match(await run("nft", "list", "table", "ip", "gantry"), /\b12345 : 10\.99\.0\.\d+ \. 1234\b/);
});

test("a name that is taken is refused by its engine, and free in another", async () => {
  const answer = JSON.parse(JSON.stringify(post(bodies.lxc))) as { error: { code: number; message: string } };
  assert.equal(answer.error.code, 409);
  assert.match(answer.error.message, /lxc container named ctest/);
  const other = { ...(JSON.parse(bodies.lxd) as object), name: "ctest", network: {} };
  assert.equal((await world.station.client.ended(post(JSON.stringify(other)).id)).state, "completed");
});

/** Removes an image under a name; answers why not. */
async function removed(type: "lxc" | "lxd", name: string, id: string): Promise<string | undefined> {
  const [image, tag] = name.split(":");
  const { client } = world.station;
  return (await client.ended((await client.add("image_remove", { type, image, tag, id })).id)).error;
}

test("image_remove of LXD: only the alias that is named goes, and with the last one the image", async () => {
  const { target: id } = await world.lxd.get<{ target: string }>("/1.0/images/aliases/ubuntu%2Fbionic");
  const alias = { name: "ubuntu", target: id };
  await world.lxd.send({ method: "POST", path: "/1.0/images/aliases", body: alias });
  assert.equal(await removed("lxd", "ubuntu:latest", id), undefined);
  for (const name of ["ubuntu:latest", "ubuntu:focal", "<none>:<none>"]) {
    assert.match(
      String(await removed("lxd", name, id)),
      new RegExp(`image ${id} has no tag ${name} \\(it has ubuntu:bionic\\)`),
    );
  }
  assert.ok(await world.lxd.find(`/1.0/images/${id}`));
  assert.equal(await removed("lxd", "ubuntu:bionic", id.slice(0, 12)), undefined);
  assert.equal(await world.lxd.find(`/1.0/images/${id}`), undefined);
});

test("image_remove of LXC: only the tag that is named goes, and with the last one the image", async () => {
  const { client } = world.station;
  const tagged = { type: "lxc", repository: "qnap", image: "ubuntu-bionic", tag: "bionic" };
  assert.equal((await client.ended((await client.add("image_download", tagged)).id)).error, undefined);
  const folder = join(world.station.dataDir, "images");
  const [id = "", ...others] = readdirSync(folder);
  assert.deepEqual(others, []);
  assert.equal(await removed("lxc", "ubuntu-bionic:bionic", id), undefined);
  for (const name of ["ubuntu-bionic:bionic", "other:latest"])
    assert.match(String(await removed("lxc", name, id)), /has no tag \S+ \(it has ubuntu-bionic:latest\)/);
  assert.deepEqual(readdirSync(folder), [id]);
  assert.equal(await removed("lxc", "ubuntu-bionic:latest", id), undefined);
  assert.deepEqual(readdirSync(folder), []);
});
