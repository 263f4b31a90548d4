import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createLxcEngine } from "../src/engines/lxc/lxc.ts";
import { run } from "../test/engines/commands.ts";
import { containerSpec } from "../test/engines/container-spec.ts";
import { testEngines } from "../test/support/engines.ts";
import { copyDebianImages, debian, debianImages, nowhere } from "../test/support/system-images.ts";
import { startSystemWorld, type SystemType, type SystemWorld } from "../test/support/system-station.ts";
import { viaStation } from "./create.ts";
import { mountSystemDisk } from "./disk.ts";
import { median, timed } from "./load.ts";
import type { Report } from "./report.ts";

const rounds = 10;

/** Containers of the Debian that is built on this host, in LXC and in LXD: the station beside the raw calls. */
export async function benchSystem(report: Report): Promise<void> {
  await mountSystemDisk();
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
  const path = join(testEngines().folder, "lxc", ".bench");
  mkdirSync(path, { mode: 0o711 });
  const engine = createLxcEngine({ path, images });
  const times = { tar: [] as number[], create: [] as number[] };
  const place = join(path, ".raw");
  mkdirSync(place);
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
  const times = await besideRaw(world, type, (name) => viaStation(world.station, name, image));
  const over = median(times.own.map((own, n) => own - (times.raw[n] ?? Number.NaN)));
  const name = type.toUpperCase();
  report.line(`${name}: create to running, raw calls`, median(times.raw), "ms");
  report.line(`${name}: create to running, POST to the completed event`, median(times.own), "ms");
  report.line("  over the raw calls", over, "ms");
  report.line("  ratio to the raw calls", pairRatio(times), "");
}

export interface Pairs {
  raw: number[];
  own: number[];
}

/** Milliseconds of the station's way to a running container and of the raw calls, in turn. A `warm-TYPE` is there. */
export async function besideRaw(
  world: SystemWorld,
  type: SystemType,
  own: (name: string) => Promise<number>,
): Promise<Pairs> {
  const times: Pairs = { raw: [], own: [] };
  const ways = { raw: (name: string) => timed(() => viaEngine(world, type, name)), own };
  for (let n = 0; n < rounds; n++) {
    for (const way of n % 2 === 0 ? (["raw", "own"] as const) : (["own", "raw"] as const)) {
      const name = `${way}-${type}-${n}`;
      times[way].push(await ways[way](name));
      // A system that still boots would be in the other one's way.
      await world.remove(type, name);
    }
  }
  return times;
}

/** Pair by pair, so that the machine's drift during the run counts for neither. */
export function pairRatio({ raw, own }: Pairs): number {
  return median(own.map((one, n) => one / (raw[n] ?? Number.NaN)));
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
