import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../test/engines/commands.ts";
import { startOpenvzDebian, type OpenvzWorld } from "../test/station/openvz-world.ts";
import { systemTypes, type SystemType } from "../test/support/system-station.ts";
import { median, timed } from "./load.ts";
import type { Report } from "./report.ts";
import { viaEngine } from "./system.ts";

const posts = 300;
const rounds = 6;

/** The containers-and-jobs API: how soon a create is accepted, and how soon it is done beside the raw calls. */
export async function benchOpenvz(report: Report): Promise<void> {
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
    // As the station does for its own: where much was deleted, new files are slow but for below such a folder.
    if (type === "lxc") await run("chattr", "+T", world.system.lxc.path);
    const times = { raw: [] as number[], job: [] as number[] };
    for (let n = 0; n < rounds; n++) {
      const raw = async () => times.raw.push(await timed(() => viaEngine(world.system, type, `raw-${n}`)));
      const job = async () => times.job.push(await timed(() => done(world, `job-${n}`)));
      // Whoever comes second finds the disk busy with the first one's files.
      for (const one of n % 2 === 0 ? [raw, job] : [job, raw]) await one();
      for (const name of [`raw-${n}`, `job-${n}`]) await world.system.remove(type, name);
    }
    const ratio = median(times.job.map((own, n) => own / (times.raw[n] ?? Number.NaN)));
    report.line(`OpenVZ API, ${type}: create to running, raw calls`, median(times.raw), "ms");
    report.line(`OpenVZ API, ${type}: POST to the job's end`, median(times.job), "ms");
    report.line("  ratio to the raw calls", ratio, "", { atMost: 1.2 });
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
    await sleep(5);
  }
}
