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

const kills = size(8, 20);
/** Sent together before each kill, so that there is work for every step; every other one has an image to pull. */
const perKill = size(5, 15);
const creates = kills * perKill;
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
    const sent: Promise<number>[] = [];
    for (let kill = 0; kill < kills; kill++) {
      // A third of the kills at any request, the others at one of a step.
      const isAny = kill % 3 === 2;
      const place = places[kill % places.length] as Place;
      const caught = isAny ? trap.next(() => true, random(perKill)) : trap.next((moment) => isAt(moment, place));
      for (let n = 0; n < perKill; n++) sent.push(createOne(station, sent.length, images));
      await caught;
      await (kill % 2 === 0 ? station.kill() : killGroup(station));
      trap.release();
      const interrupted = interruptedSteps(station);
      if (interrupted.length > 0) during++;
      for (const step of interrupted) histogram.set(step, (histogram.get(step) ?? 0) + 1);
      await station.start();
      // Whatever was met by a fourth kill in a row would be undone, as it should be.
      if (isAny) await runningEnded(station);
    }
    const acknowledged = await Promise.all(sent);
    await assertOneContainerEach(await settled(station), acknowledged, prefix);
    await assertNoStrayProcesses();
    context.diagnostic(
      `${kills} kills, ${during} while a task ran; interrupted: ${JSON.stringify(Object.fromEntries(histogram))}`,
    );
    assert.equal(during, kills, "every kill met a running task");
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

async function createOne(station: TestStation, n: number, images: readonly string[]): Promise<number> {
  const [image, tag] = (images[Math.floor(n / 2)] as string).split(":");
  return createStubbornly(station, { ...busybox, image, tag, name: `${prefix}${n}` });
}

async function killGroup(station: TestStation): Promise<void> {
  process.kill(-station.pid(), "SIGKILL");
  await station.kill();
}

type Place = (typeof places)[number];
type Fits = (moment: EngineMoment) => boolean;

function isAt({ when, path }: EngineMoment, place: Place): boolean {
  return when === place.when && path.includes(place.path);
}

/** Only what never comes takes so long, also on a slow machine. */
const patience = 120_000;

/** Holds one request that changes something in Docker, and tells of it. */
function createTrap() {
  let wanted: { fits: Fits; skip: number; met: () => void } | undefined;
  let held = Promise.withResolvers<void>();
  return {
    async watch(moment: EngineMoment): Promise<void> {
      if (!wanted || moment.method !== "POST" || !wanted.fits(moment) || wanted.skip-- > 0) return;
      const { met } = wanted;
      wanted = undefined;
      met();
      await held.promise;
    },
    /** Resolves when such a request is held, after `skip` others. Rejects when none comes. */
    async next(request: Fits, skip = 0): Promise<void> {
      held = Promise.withResolvers<void>();
      const met = new Promise<true>((resolve) => (wanted = { fits: request, skip, met: () => resolve(true) }));
      const isMet = await Promise.race([met, sleep(patience, false, { ref: false })]);
      assert.ok(isMet, `no such request came in ${patience} ms`);
    },
    release(): void {
      held.resolve();
    },
  };
}
