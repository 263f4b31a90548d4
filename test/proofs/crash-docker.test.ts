import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { removeContainers } from "../support/docker-cli.ts";
import { killDockerd, startDockerd } from "../support/dockerd.ts";
import { busybox } from "../support/images.ts";
import { createRandom, size } from "../support/proof.ts";
import { startStation } from "../support/station.ts";
import { assertNoStrayProcesses, assertOneContainerEach, createStubbornly, settled } from "./creates.ts";

const creates = size(30, 300);
const kills = size(4, 20);
const prefix = "dead-";

test(`${creates} creates, dockerd killed ${kills} times`, { timeout: 900_000 }, async (context) => {
  const random = createRandom(21);
  const station = await startStation();
  try {
    const sent = Promise.all(
      Array.from({ length: creates }, async (_, n) => {
        await sleep(n * size(150, 250));
        return createStubbornly(station, { ...busybox, image: "ubuntu", name: `${prefix}${n}` });
      }),
    );
    let during = 0;
    for (let kill = 0; kill < kills; kill++) {
      await sleep(500 + random(1500));
      const running = (await station.client.tasks()).filter((task) => task.state === "running").length;
      if (running > 0) during++;
      await killDockerd();
      await sleep(random(1000));
      await startDockerd();
    }
    const acknowledged = await sent;
    await assertOneContainerEach(await settled(station), acknowledged, prefix);
    await assertNoStrayProcesses();
    context.diagnostic(`${kills} kills of dockerd, ${during} while a task ran`);
  } finally {
    await station.close();
    await startDockerd();
    await removeContainers(prefix);
  }
});
