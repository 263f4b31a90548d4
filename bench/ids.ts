import { join } from "node:path";
import { copyDebianImages, nowhere } from "../test/support/system-images.ts";
import { startSystemWorld } from "../test/support/system-station.ts";
import { viaStation } from "./create.ts";
import { mountSystemDisk } from "./disk.ts";
import { median } from "./load.ts";
import type { Report } from "./report.ts";
import { pairRatio, type Pairs } from "./system.ts";

const rounds = 12;
const image = { type: "lxc", repository: "qnap", image: "debian-bookworm", tag: "latest" };

/** LXC: what the user ids of its own cost a container, from the POST to the completed event; in turn with a privileged one. */
export async function benchIds(report: Report): Promise<void> {
  await mountSystemDisk();
  const prepare = (data: string): Promise<void> => copyDebianImages(join(data, "images"));
  const world = await startSystemWorld({ prepare, imageServer: nowhere });
  try {
    await viaStation(world.station, "warm-lxc", image);
    await world.remove("lxc", "warm-lxc");
    const times: Pairs = { raw: [], own: [] };
    for (let n = 0; n < rounds; n++) {
      for (const way of n % 2 === 0 ? (["raw", "own"] as const) : (["own", "raw"] as const)) {
        const name = `ids-${way}-${n}`;
        times[way].push(await viaStation(world.station, name, { ...image, privileged: way === "raw" }));
        await world.remove("lxc", name);
      }
    }
    report.line("LXC: create to running, privileged", median(times.raw), "ms");
    report.line("LXC: create to running, with user ids of its own", median(times.own), "ms");
    report.line("  ratio to the privileged one", pairRatio(times), "", { atMost: 1.1 });
  } finally {
    await world.close();
  }
}
