import { startEngines } from "../test/support/start-engines.ts";
import { removeContainers } from "../test/support/docker-cli.ts";
import { benchCreate } from "./create.ts";
import { benchGuesses } from "./guesses.ts";
import { benchIds } from "./ids.ts";
import { benchLargeList } from "./large-list.ts";
import { benchList } from "./list.ts";
import { benchOpenvz } from "./openvz.ts";
import { benchProcess } from "./process.ts";
import { createReport } from "./report.ts";
import { benchSystem } from "./system.ts";
import { benchHeld, benchWorking } from "./tasks.ts";
import { benchVersions } from "./versions.ts";
import { startStation } from "../test/support/station.ts";

/** npm run bench: every figure beside its bar, measured in one run on this machine. Exit 1 when one is missed. */
await startEngines();
await pullUbuntu();
const report = createReport();
// What the last part makes stays until the end of the run.
const parts = {
  process: benchProcess,
  create: benchCreate,
  system: benchSystem,
  ids: benchIds,
  openvz: benchOpenvz,
  held: benchHeld,
  working: benchWorking,
  guesses: benchGuesses,
  large: benchLargeList,
  list: benchList,
};
/** Parts that run only when they are named. */
const named = { versions: benchVersions };
const wanted = process.argv.slice(2);
for (const [name, bench] of Object.entries(named)) if (wanted.includes(name)) await bench(report);
for (const [name, bench] of Object.entries(parts))
  if (wanted.length === 0 || wanted.includes(name)) await bench(report);
console.log(report.missed() === 0 ? "all bars met" : `${report.missed()} missed`);
process.exit(report.missed() === 0 ? 0 : 1);

async function pullUbuntu(): Promise<void> {
  const station = await startStation();
  const task = await station.client.add("image_download", {
    type: "docker",
    repository: "dockerhub",
    image: "ubuntu",
    tag: "latest",
  });
  await station.client.ended(task.id);
  await station.close();
  await removeContainers("bench-");
}
