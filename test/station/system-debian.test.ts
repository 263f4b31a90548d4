import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { run } from "../engines/commands.ts";
import { patiently } from "../support/patiently.ts";
import { copyDebianImages, nowhere } from "../support/system-images.ts";
import { startSystemWorld, systemTypes, type SystemWorld } from "../support/system-station.ts";

/** The Debian that is built on this host, where no image server is in reach. The build itself has a test of its own. */
let world: SystemWorld;
before(async () => {
  const prepare = (dataDir: string) => copyDebianImages(join(dataDir, "images"));
  world = await startSystemWorld({ imageServer: nowhere, prepare });
});
after(() => world.close());

const images = {
  lxc: { type: "lxc", repository: "qnap", image: "debian-bookworm", tag: "latest" },
  lxd: { type: "lxd", repository: "lxd", image: "debian", tag: "bookworm" },
} as const;

for (const type of systemTypes) {
  test(`Debian boots in ${type}: systemctl says running`, async () => {
    const name = `deb-${type}`;
    const task = await world.station.client.add("create", { ...images[type], name });
    assert.equal((await world.station.client.ended(task.id, 120_000)).error, undefined);
    const pid = await world.pid(type, name);
    const inside = (...argv: string[]) => run("nsenter", "-t", String(pid), "-a", "--", ...argv);
    for (let tries = 3; ; tries--) {
      try {
        await patiently("it boots", async () => {
          const state = await inside("systemctl", "is-system-running").catch(
            (error: { stdout?: string }) => error.stdout,
          );
          assert.equal(String(state).trim(), "running", await inside("systemctl", "--failed", "--no-legend"));
        });
        break;
      } catch (error) {
        if (tries === 0) throw error;
      }
    }
    assert.equal(await inside("hostname"), name);
    const address = type === "lxc" ? /inet 10\.0\.3\./ : /inet 10\.99\.0\./;
    await patiently("it has an address", async () => assert.match(await inside("ip", "-4", "address"), address));
  });
}
