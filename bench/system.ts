import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createLxcEngine } from "../src/engines/lxc/lxc.ts";
import { run } from "../test/engines/commands.ts";
import { containerSpec } from "../test/engines/container-spec.ts";
import { testEngines } from "../test/support/engines.ts";
import { copyDebianImages, debian, debianImages, nowhere } from "../test/support/system-images.ts";
import { startSystemWorld, type SystemType, type SystemWorld } from "../test/support/system-station.ts";
import { viaStation } from "./create.ts";
import { median, timed } from "./load.ts";
import type { Report } from "./report.ts";

const rounds = 6;

/** Containers of the Debian that is built on this host, in LXC and in LXD: the station beside the raw calls. */
export async function benchSystem(report: Report): Promise<void> {
  await benchUnpack(report);
  const world = await startSystemWorld({
    prepare: (data) => copyDebianImages(join(data, "images")),
    imageServer: nowhere,
  });
  try {
    for (const type of ["lxc", "lxd"] as const) await benchType(report, world, type);
  } finally {
    await world.close();
  }
}

/** LXC's create is an unpack, with little beside. */
async function benchUnpack(report: Report): Promise<void> {
  const images = await debianImages();
  const archive = (await images.rootfs(debian))?.archive ?? "";
  const path = join(testEngines().folder, "bench-lxc");
  mkdirSync(path, { mode: 0o711 });
  const engine = createLxcEngine({ path, images });
  const times = { tar: [] as number[], create: [] as number[] };
  // Where the file system has just deleted much, new files are slow, but for below a folder like this.
  const place = join(path, ".raw");
  mkdirSync(place);
  await run("chattr", "+T", place);
  for (let n = 0; n < rounds; n++) {
    const folder = join(place, `unpacked-${n}`);
    mkdirSync(folder);
    times.tar.push(await timed(() => run("tar", "-C", folder, ...everything, "-I", "zstd", "-xf", archive)));
    rmSync(folder, { recursive: true });
    const spec = containerSpec({ image: debian });
    times.create.push(await timed(() => engine.containers.create(spec)));
    await engine.containers.remove(spec.name);
  }
  engine.close();
  report.line("LXC: tar's own unpack of Debian", median(times.tar), "ms");
  report.line("LXC: create of a container from it", median(times.create), "ms");
  const ratio = median(times.create.map((own, n) => own / (times.tar[n] ?? Number.NaN)));
  report.line("  ratio to tar's own unpack", ratio, "", { atMost: 1.1 });
}

/** What must come out as it was. */
const everything = ["--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls", "-p"];

async function benchType(report: Report, world: SystemWorld, type: SystemType): Promise<void> {
  const image = {
    lxc: { type, repository: "qnap", image: "debian-bookworm", tag: "latest" },
    lxd: { type, repository: "lxd", image: "debian", tag: "bookworm" },
  }[type];
  await viaStation(world.station, `warm-${type}`, image);
  const times = { raw: [] as number[], station: [] as number[] };
  for (let n = 0; n < rounds; n++) {
    times.raw.push(await timed(() => viaEngine(world, type, `raw-${type}-${n}`)));
    times.station.push(await viaStation(world.station, `station-${type}-${n}`, image));
    for (const name of [`raw-${type}-${n}`, `station-${type}-${n}`]) await world.remove(type, name);
  }
  const over = median(times.station.map((own, n) => own - (times.raw[n] ?? Number.NaN)));
  const ratio = median(times.station.map((own, n) => own / (times.raw[n] ?? Number.NaN)));
  const name = type.toUpperCase();
  report.line(`${name}: create to running, raw calls`, median(times.raw), "ms");
  report.line(`${name}: create to running, POST to the completed event`, median(times.station), "ms");
  report.line("  over the raw calls", over, "ms");
  report.line("  ratio to the raw calls", ratio, "");
}

/** The least that gives a running container. */
export async function viaEngine({ lxc, lxd, station }: SystemWorld, type: SystemType, name: string): Promise<void> {
  if (type === "lxc") {
    const archive = (await run("sh", "-c", 'echo "$1"/images/*/rootfs.tar.zst', "sh", station.dataDir)).split(" ")[0];
    mkdirSync(join(lxc.path, name, "rootfs"), { recursive: true });
    await run("tar", "-C", join(lxc.path, name, "rootfs"), ...everything, "-I", "zstd", "-xf", archive ?? "");
    const model = join(lxc.path, "warm-lxc");
    await run(
      "sh",
      "-c",
      'sed "s#warm-lxc#$2#g; /veth.pair/d; /hwaddr/d" "$1/config" >"$3/$2/config"',
      "sh",
      model,
      name,
      lxc.path,
    );
    return void (await run("lxc-start", "-P", lxc.path, "-d", "-n", name));
  }
  const body = { name, source: { type: "image", alias: "debian/bookworm" } };
  const made = await lxd.send({ method: "POST", path: "/1.0/instances", body });
  await lxd.get(`${made.operation}/wait`);
  const state = { action: "start", timeout: -1 };
  const started = await lxd.send({ method: "PUT", path: `/1.0/instances/${name}/state`, body: state });
  await lxd.get(`${started.operation}/wait`);
}
