import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Task } from "../../../src/api/task.ts";
import { engineTypes, requests, startLifeWorld, type LifeWorld, type Verbs } from "./worlds.ts";

interface Refused {
  error: { code: number; message: string; type?: string; id?: string; field?: string };
}

/** Each verb on real engines: what is answered, and what the engine itself says afterwards. */
let world: LifeWorld;
before(async () => {
  world = await startLifeWorld("life-");
});
after(() => world.close());

const own = (suffix: string) => `life-${suffix}`;

for (const type of engineTypes) {
  describe(`verbs on ${type}`, { concurrency: false }, () => {
    let verbs: Verbs;
    before(() => {
      verbs = world.on(type);
    });
    const look = (name: string) => world.look(type, name);
    const ownTasks = async () =>
      (await world.station.client.tasks()).filter(({ params }: Task) => (params as { type?: string }).type === type);

    async function refused(
      method: string,
      path: string,
      body?: unknown,
    ): Promise<Refused["error"] & { status: number }> {
      const { status, body: answer } = await world.station.client.send(method, path, body);
      return { ...(answer as Refused).error, status };
    }

    test("created: it runs when the answer comes, and is no less than a background create", async () => {
      const made = await verbs.create(own("a"));
      assert.deepEqual([made.name, made.type, made.state], [own("a"), type, "running"]);
      assert.ok(((await look(own("a")))?.pid ?? 0) > 0);
      const [task] = await ownTasks();
      assert.deepEqual([task?.category, task?.state, task?.name], ["create", "completed", own("a")]);
      const { status, message } = await refused("POST", "/container", { ...requests[type], name: own("a") });
      assert.deepEqual([status, message], [409, `A ${type} container named ${own("a")} exists already.`]);
    });

    test("stop, stop again, start, start again, restart: the state is the one after it", async () => {
      const { id } = await verbs.start(own("a"));
      assert.equal((await verbs.stop(id)).state, "stopped");
      assert.equal((await look(own("a")))?.pid, 0);
      assert.equal((await verbs.stop(own("a"))).state, "stopped");
      assert.equal((await verbs.start(id)).state, "running");
      const first = await look(own("a"));
      assert.ok(first && first.pid > 0);
      assert.equal((await verbs.start(id)).state, "running");
      assert.deepEqual(await look(own("a")), first);
      assert.equal((await verbs.restart(id)).state, "running");
      const second = await look(own("a"));
      assert.ok(second && second.pid > 0 && second.pid !== first.pid);
    });

    test("an empty PUT with a type and without a length", async () => {
      const { status } = await world.station.client.send("PUT", verbs.at(own("a"), "/start"), "", {
        "content-type": "application/json",
      });
      assert.equal(status, 200);
    });

    test("pause and unpause", async () => {
      assert.equal((await verbs.pause(own("a"))).state, "running");
      assert.equal((await look(own("a")))?.paused, true);
      const { status } = await refused("PUT", verbs.at(own("a"), "/start"));
      assert.equal(status, 409);
      await verbs.unpause(own("a"));
      assert.equal((await look(own("a")))?.paused, false);
    });

    test("autostart is shown by itself and by /all", async () => {
      assert.equal((await verbs.autostart(own("a"), "on")).autostart, true);
      assert.equal((await verbs.all(own("a")))["autostart"], true);
      assert.equal((await verbs.autostart(own("a"), "off")).autostart, false);
      assert.equal((await verbs.all(own("a")))["autostart"], false);
      assert.equal((await refused("PUT", verbs.at(own("a"), "/autostart/maybe"))).status, 400);
    });

    test("renamed: the old name is nobody's, the new one is taken", async () => {
      await verbs.stop(own("a"));
      const { name } = await verbs.rename(own("a"), own("b"));
      assert.equal(name, own("b"));
      assert.equal(await look(own("a")), undefined);
      assert.ok(await look(own("b")));
      assert.equal((await verbs.rename(own("b"), own("b"))).name, own("b"));
      await verbs.create(own("a"));
      const { status } = await refused("POST", verbs.at(own("a"), "/rename"), { name: own("b") });
      assert.equal(status, 409);
      assert.equal((await verbs.start(own("b"))).state, "running");
    });

    test("a running container is removed by force only", async () => {
      const { status, message } = await refused("DELETE", verbs.at(own("a")));
      assert.equal(status, 409);
      assert.match(message, /life-a is running/);
      assert.ok(((await look(own("a")))?.pid ?? 0) > 0);
      assert.deepEqual(await verbs.remove(own("a"), "?force=true"), {});
      assert.equal(await look(own("a")), undefined);
      await verbs.stop(own("b"));
      assert.deepEqual(await verbs.remove(own("b")), {});
      assert.equal(await look(own("b")), undefined);
    });

    test("an unknown container is 404 with type and id, for every verb", async () => {
      const at = (rest = "") => verbs.at("life-nobody", rest);
      const asked: [string, string, unknown?][] = [
        ["PUT", at("/start")],
        ["PUT", at("/stop")],
        ["PUT", at("/restart")],
        ["POST", at("/pause")],
        ["POST", at("/unpause")],
        ["POST", at("/rename"), { name: "life-other" }],
        ["DELETE", at()],
        ["GET", at("/all")],
        ["PUT", at("/autostart/on")],
        ["GET", at("/inspect")],
        ["GET", at("/logs")],
        ["POST", at("/exec"), { command: ["true"] }],
      ];
      for (const [method, path, body] of asked) {
        const { status, type, id, message } = await refused(method, path, body);
        assert.deepEqual([status, type, id], [404, type, "life-nobody"], `${method} ${path}: ${message}`);
      }
    });

    test("none of the verbs is a background task", async () => {
      const categories = new Set((await ownTasks()).map(({ category }) => category));
      assert.deepEqual([...categories], ["create"]);
    });
  });
}
