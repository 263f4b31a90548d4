import { join } from "node:path";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { removeContainers } from "../support/docker-cli.ts";
import { startDockerProxy, type EngineMoment } from "../support/docker-proxy.ts";
import { busybox, pushTinyImage } from "../support/images.ts";
import { createRandom, size } from "../support/proof.ts";
import { startStation, type TestStation } from "../support/station.ts";
import {
  assertNoStrayProcesses,
  assertOneContainerEach,
  createStubbornly,
  interruptedSteps,
  settled,
} from "./creates.ts";

const creates = size(40, 300);
const kills = size(8, 20);
const prefix = "crash-";
/** Every step of a create, before Docker sees it and after it has answered. */
const places = ["/images/create", "/containers/create", "/start"].flatMap((path) => [
  { path, when: "before" as const },
  { path, when: "after" as const },
]);

test(`${creates} creates, the station killed ${kills} times`, { timeout: 900_000 }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "crash-"));
  const random = createRandom(20);
  const trap = createTrap();
  const proxy = await startDockerProxy(join(folder, "docker.sock"), trap.watch);
  const station = await startStation({ docker: proxy.address });
  const histogram = new Map<string, number>();
  let during = 0;
  try {
    const images: string[] = [];
    for (let n = 0; n < creates / 2; n++) images.push(await pushTinyImage(`crash${n}`));
    const sent = Promise.all(Array.from({ length: creates }, (_, n) => createSome(station, n, images)));
    for (let kill = 0; kill < kills; kill++) {
      const place = places[kill % places.length];
      // A third of the kills at any time, the others at a step.
      if (kill % 3 === 2 || !place) await sleep(200 + random(600));
      else await trap.until(place.path, place.when);
      await (kill % 2 === 0 ? station.kill() : killGroup(station));
      trap.release();
      const interrupted = interruptedSteps(station);
      if (interrupted.length > 0) during++;
      for (const step of interrupted) histogram.set(step, (histogram.get(step) ?? 0) + 1);
      await station.start();
      // Whatever was met by a fourth kill in a row would be undone, as it should be.
      if (kill % 3 === 2) await runningEnded(station);
    }
    const acknowledged = await sent;
    await assertOneContainerEach(await settled(station), acknowledged, prefix);
    await assertNoStrayProcesses();
    context.diagnostic(
      `${kills} kills, ${during} while a task ran; interrupted: ${JSON.stringify(Object.fromEntries(histogram))}`,
    );
    assert.ok(during >= Math.floor(kills * 0.75), `only ${during} of ${kills} kills met a running task`);
    for (const step of ["create.pull", "create.container", "create.start"])
      assert.ok(histogram.has(step), `${step} was never interrupted`);
  } finally {
    await station.close();
    await proxy.close();
    await removeContainers(prefix);
  }
});

async function runningEnded({ client }: TestStation): Promise<void> {
  const running = (await client.tasks()).filter(({ state }) => state === "running");
  await Promise.all(running.map(({ id }) => client.ended(id)));
}

/** Spread over the run, so that there is work at every kill; every other one has an image to pull. */
async function createSome(station: TestStation, n: number, images: readonly string[]): Promise<number> {
  await sleep(n * size(150, 180));
  const [image, tag] = (images[Math.floor(n / 2)] as string).split(":");
  return createStubbornly(station, { ...busybox, image, tag, name: `${prefix}${n}` });
}

async function killGroup(station: TestStation): Promise<void> {
  process.kill(-station.pid(), "SIGKILL");
  await station.kill();
}

/** Holds the first request that fits, and tells of it. */
function createTrap() {
  let wanted: { path: string; when: EngineMoment["when"]; met: () => void } | undefined;
  let held = Promise.withResolvers<void>();
  return {
    async watch(moment: EngineMoment): Promise<void> {
      if (!wanted || moment.method !== "POST" || moment.when !== wanted.when || !moment.path.includes(wanted.path))
        return;
      const { met } = wanted;
      wanted = undefined;
      met();
      await held.promise;
    },
    /** Resolves when such a request is held; gives up after 5 s, which a kill at any time then is. */
    async until(path: string, when: EngineMoment["when"]): Promise<void> {
      held = Promise.withResolvers<void>();
      await Promise.race([new Promise<void>((met) => (wanted = { path, when, met })), sleep(5_000)]);
      wanted = undefined;
    },
    release(): void {
      held.resolve();
    },
  };
}
