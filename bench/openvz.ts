import { setTimeout as sleep } from "node:timers/promises";
import { startOpenvzDebian, type OpenvzWorld } from "../test/station/openvz-world.ts";
import { systemTypes, type SystemType } from "../test/support/system-station.ts";
import { mountSystemDisk } from "./disk.ts";
import { median, timed } from "./load.ts";
import type { Report } from "./report.ts";
import { besideRaw, pairRatio } from "./system.ts";

const posts = 300;

/** The containers-and-jobs API: how soon a create is accepted, and how soon it is done beside the raw calls. */
export async function benchOpenvz(report: Report): Promise<void> {
  await mountSystemDisk();
  await benchPosts(report);
  for (const type of systemTypes) await benchJobs(report, type);
}

/** The lane of creates is held: what is measured is the way to the disk. */
async function benchPosts(report: Report): Promise<void> {
  const world = await startOpenvzDebian("lxc", ["--heavy", "0"]);
  try {
    const times = [];
    for (let n = 0; n < posts; n++) times.push(await timed(() => create(world, `post-${n}`)));
    report.line("OpenVZ API: POST to 202, p50", median(times), "ms", { atMost: 5 });
  } finally {
    await world.system.close();
  }
}

async function benchJobs(report: Report, type: SystemType): Promise<void> {
  const world = await startOpenvzDebian(type);
  try {
    await done(world, `warm-${type}`);
    const times = await besideRaw(world.system, type, (name) => timed(() => done(world, name)));
    report.line(`OpenVZ API, ${type}: create to running, raw calls`, median(times.raw), "ms");
    report.line(`OpenVZ API, ${type}: POST to the job's end`, median(times.own), "ms");
    report.line("  ratio to the raw calls", pairRatio(times), "", { atMost: 1.2 });
  } finally {
    await world.system.close();
  }
}

async function create(world: OpenvzWorld, name: string): Promise<string> {
  const { status, json } = await world.send("POST", "/containers/", { name, ostemplate: "template1" });
  if (status !== 202) throw new Error(JSON.stringify(json));
  return json.job_id;
}

async function done(world: OpenvzWorld, name: string): Promise<void> {
  const job = await create(world, name);
  for (;;) {
    const { json } = await world.send("GET", `/jobs/${job}`);
    if (json.status === "done") return;
    if (json.status === "failed") throw new Error(json.error);
    // A panel asks once a second; asking all the time would cost the engine a core.
    await sleep(20);
  }
}
