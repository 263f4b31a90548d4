import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { size } from "../../support/proof.ts";
import { engineTypes, requests, startLifeWorld, type LifeWorld, type Verbs } from "./worlds.ts";

/** Many callers at once: each container goes its own way, and of what can be had once one gets it. */
const lifecycles = 16;
const equalCreates = 50;
/** Milliseconds; a verb itself has 120 s. */
const pairPatience = 60_000;

let world: LifeWorld;
before(async () => {
  world = await startLifeWorld("together-", { flags: ["--max-tasks", "1000"] });
});
after(() => world.close());

for (const type of engineTypes) {
  describe(`together on ${type}`, { concurrency: false }, () => {
    let verbs: Verbs;
    before(() => {
      verbs = world.on(type);
    });

    test(`${lifecycles} lifecycles at once`, async (context) => {
      const begun = performance.now();
      await Promise.all(
        Array.from({ length: lifecycles }, async (_, n) => {
          const name = `together-${n}`;
          assert.equal((await verbs.create(name)).state, "running", name);
          assert.equal((await verbs.stop(name)).state, "stopped", name);
          assert.equal((await world.look(type, name))?.pid, 0, name);
          assert.equal((await verbs.start(name)).state, "running", name);
          assert.equal((await verbs.restart(name)).state, "running", name);
          assert.ok(((await world.look(type, name))?.pid ?? 0) > 0, name);
          assert.deepEqual(await verbs.remove(name, "?force=true"), {});
          assert.equal(await world.look(type, name), undefined, name);
        }),
      );
      context.diagnostic(`${lifecycles} lifecycles on ${type} in ${Math.round(performance.now() - begun)} ms`);
    });

    test(`${equalCreates} equal creates at once: one wins, the others are told who is in the way`, async () => {
      const body = { ...requests[type], name: "together-one" };
      const answers = await Promise.all(
        Array.from({ length: equalCreates }, () => world.station.client.send("POST", "/container", body)),
      );
      const won = answers.filter(({ status }) => status === 200);
      assert.equal(won.length, 1, JSON.stringify(answers.map(({ status }) => status)));
      for (const { status, body } of answers.filter((answer) => answer !== won[0])) {
        assert.equal(status, 409, JSON.stringify(body));
        const { message } = (body as { error: { message: string } }).error;
        assert.match(message, /is making a container named together-one|named together-one exists already/);
      }
      assert.ok(((await world.look(type, "together-one"))?.pid ?? 0) > 0);
    });

    test("every verb beside every other: each is done or refused, and the container is whole", async (context) => {
      const acts: Record<string, (name: string) => Promise<unknown>> = {
        start: verbs.start,
        stop: verbs.stop,
        restart: verbs.restart,
        pause: verbs.pause,
        unpause: verbs.unpause,
        autostart: (name) => verbs.autostart(name, "on"),
        rename: (name) => verbs.rename(name, "together-other"),
        remove: (name) => verbs.remove(name, "?force=true"),
      };
      const outcomes: Record<string, number> = { done: 0, refused: 0 };
      for (const [index, [first, one]] of Object.entries(acts).entries()) {
        // In the small size each pair in one order only.
        for (const [second, other] of Object.entries(acts).slice(size(index, 0))) {
          const both = Promise.allSettled([one("together-one"), other("together-one")]);
          const over = new AbortController();
          const results = await Promise.race([both, tooLong(`${first} beside ${second}`, over.signal)]);
          over.abort();
          for (const result of results) {
            outcomes[result.status === "fulfilled" ? "done" : "refused"]!++;
            // 404: gone, or renamed; 409: in the wrong state.
            if (result.status === "rejected") assert.match(String(result.reason), /: 40[49] /, `${first} ${second}`);
          }
          await settle();
        }
      }
      context.diagnostic(`${type}: ${JSON.stringify(outcomes)}`);
      assert.ok((outcomes["done"] ?? 0) > (outcomes["refused"] ?? 0));
    });

    /** Says what it is that does not end, and what the engine is at. */
    async function tooLong(what: string, over: AbortSignal): Promise<never> {
      await delay(pairPatience, undefined, { signal: over });
      const busy = type === "lxd" ? await world.lxd.get("/1.0/operations?recursion=1") : undefined;
      throw new Error(`${what} on ${type}: ${JSON.stringify([await world.station.client.tasks(), busy])}`);
    }

    /** One container of the name, running: also after it was renamed, removed, stopped or paused. */
    async function settle(): Promise<void> {
      const looks = await Promise.all(["together-one", "together-other"].map((name) => world.look(type, name)));
      assert.ok(looks.filter(Boolean).length < 2, "one container at most");
      const { client } = world.station;
      if (looks[1]) {
        if (looks[1].pid > 0) await verbs.stop("together-other");
        await verbs.rename("together-other", "together-one");
      }
      if (!looks[0] && !looks[1]) await verbs.create("together-one");
      if (looks[0]?.paused) await verbs.unpause("together-one");
      assert.equal((await verbs.start("together-one")).state, "running");
      assert.ok(((await world.look(type, "together-one"))?.pid ?? 0) > 0);
      assert.deepEqual(
        (await client.tasks()).filter(({ state }) => state === "running" || state === "waiting"),
        [],
      );
    }
  });
}
