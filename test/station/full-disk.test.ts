import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openWorld, type World } from "../attacks/sender.ts";
import { dockerApi, listContainers, removeContainers } from "../support/docker-cli.ts";
import { smallDisk } from "../support/small-disk.ts";

const disk = smallDisk(48);
const image = { type: "docker", repository: "dockerhub", image: "busybox", tag: "latest" };
let world: World;

before(async () => {
  world = await openWorld({ dataDir: join(disk.folder, "data"), flags: ["--heavy", "0"] });
  await dockerApi("POST", "/images/create?fromImage=busybox&tag=latest").catch(() => undefined);
  const body = { Image: "busybox:latest", Cmd: ["sleep", "600"] };
  const { Id } = await dockerApi<{ Id: string }>("POST", "/containers/create?name=full-disk", body);
  await dockerApi("POST", `/containers/${Id}/start`);
});
after(async () => {
  await world.station.close();
  await removeContainers("full-disk");
  disk.close();
});

test("with a full disk a container is stopped, a task cancelled and a session ended, and nothing is begun", async () => {
  const { send, admin } = world;
  const create = (name: string) =>
    send("POST", "/background/create", {
      sid: admin,
      body: { ...image, name, environment: [`A=${"x".repeat(60_000)}`] },
    });
  const task = (await create("full-disk-waits")).json as { id: number };
  const other = (await world.login("admin")).sid;
  disk.fill();
  for (let tries = 0; (await create(`full-disk-${tries}`)).status === 200; tries++) assert.ok(tries < 2_000);
  assert.equal((await create("full-disk-new")).status, 507);
  assert.equal((await send("PUT", "/container/docker/full-disk/start", { sid: admin })).status, 507);
  const stopped = await send("PUT", "/container/docker/full-disk/stop?timeout=0", { sid: admin });
  assert.deepEqual([stopped.status, stopped.json.state], [200, "stopped"], stopped.text);
  assert.equal((await listContainers()).find(({ Names }) => Names.includes("/full-disk"))?.State, "exited");
  assert.deepEqual((await send("DELETE", `/background/${task.id}`, { sid: admin })).json, [task.id]);
  assert.equal((await send("PUT", "/logout", { sid: other })).status, 200);
  assert.equal((await send("GET", "/sessions", { sid: other })).status, 401);
});
