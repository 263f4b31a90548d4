import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, renameSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { EngineType } from "../../src/engines/engine.ts";
import { createShares } from "../../src/shares/shares.ts";
import { readMounts } from "../../src/shares/mounts.ts";
import { senderTo, userPassword, type Send } from "../attacks/sender.ts";
import { adminPassword } from "../support/station.ts";
import { endDaemon, until } from "../support/daemon.ts";
import { dockerApi, removeContainers } from "../support/docker-cli.ts";
import { startDockerd } from "../support/dockerd.ts";
import { killLxd, runLxd } from "../support/lxd.ts";
import { size } from "../support/proof.ts";
import { run } from "../engines/commands.ts";
import { startSystemWorld, type SystemWorld } from "../support/system-station.ts";
import { layOut, levels, pushSwapperImage, startSwapper, ways, type Way } from "./share-swapper.ts";

/**
 * An operator's containers, and programs of the host, exchange folders of a share for links to folders of the host while
 * containers are made that mount them. Nothing may be written outside the share, on no engine.
 */
const counts: Record<EngineType, number> = { docker: size(8, 200), lxc: size(6, 50), lxd: size(6, 50) };
const folder = mkdtempSync(join(tmpdir(), "race-"));
const at = (...path: string[]) => join(folder, ...path);
const types = ["docker", "lxc", "lxd"] as const;
const images: Record<EngineType, object> = {
  docker: { type: "docker", repository: "dockerhub", image: "swapper", tag: "1" },
  lxc: { type: "lxc", repository: "qnap", image: "ubuntu-bionic", tag: "latest" },
  lxd: { type: "lxd", repository: "lxd", image: "ubuntu", tag: "bionic" },
};
let world: SystemWorld;
let send: Send;
let sid: string;
let insider: number;

before(async () => {
  for (const path of ["public", "secret"]) mkdirSync(at(path));
  layOut(folder);
  await pushSwapperImage();
  world = await startSystemWorld({ flags: ["--share", `test=${at("public")}`] });
  send = senderTo(world.station.url);
  const admin = (await send("POST", "/login", { body: { username: "admin", password: adminPassword } })).sid;
  const body = { username: "olga", role: "operator", password: userPassword };
  assert.equal((await send("POST", "/users", { sid: admin, body })).status, 200);
  sid = (await send("POST", "/login", { body: { username: "olga", password: userPassword } })).sid;
  await make("docker", "race-insider", "/test");
  insider = await pidOf("docker", "race-insider");
});
after(async () => {
  await world.close();
  await removeContainers("race-");
  for (const { point } of await readMounts()) {
    if (point.startsWith(`${folder}/`)) execFileSync("umount", ["-l", point]);
  }
});

async function create(type: EngineType, name: string, place: string, more: object = {}): Promise<string | undefined> {
  const volume = { host: { [place]: { bind: "/mnt" } } };
  const made = await send("POST", "/background/create", { sid, body: { ...images[type], name, volume, ...more } });
  assert.equal(made.status, 200, made.text);
  return (await world.station.client.ended(made.json.id)).error;
}

async function make(type: EngineType, name: string, place: string, more: object = {}): Promise<void> {
  assert.equal(await create(type, name, place, more), undefined);
}

async function pidOf(type: EngineType, name: string): Promise<number> {
  if (type !== "docker") return world.pid(type, name);
  return (await dockerApi<{ State: { Pid: number } }>("GET", `/containers/${name}/json`)).State.Pid;
}

const inside = (type: EngineType, name: string, ...command: string[]) =>
  send("POST", `/container/${type}/${name}/exec`, { sid, body: { command } });
const remove = (type: EngineType, name: string) => send("DELETE", `/container/${type}/${name}?force=true`, { sid });
const escapes = () => globSync(`${at("secret")}/**/written`);

/** Every place, way and level in turn. */
const plans = [undefined, "inside"].flatMap((from) =>
  ways.flatMap((way) => levels.map((level) => ({ from, way, level }))),
);

function swap(way: Way, level: string, from: string | undefined) {
  layOut(folder);
  const root = from === undefined ? at("public") : "/mnt";
  return startSwapper(way, join(root, level), join(root, `${level}.link`), from === undefined ? undefined : insider);
}

for (const type of types) {
  test(
    `${type}: nothing is written outside while folders are exchanged for links`,
    { timeout: 3_600_000 },
    async () => {
      let [mounted, exchanged] = [0, 0];
      // Whether a create meets the folder or the link is chance: it goes on until one has met the folder.
      for (let n = 0; n < counts[type] || (mounted === 0 && n < 20 * counts[type]); n++) {
        const { from, way, level } = plans[n % plans.length] as (typeof plans)[number];
        const swapper = swap(way, level, from);
        const name = `race-${n}`;
        const error = await create(type, name, "/test/a/op/d");
        if (error === undefined) {
          mounted += Number((await inside(type, name, "touch", "/mnt/written")).json?.exitCode === 0);
          await remove(type, name);
        } else assert.match(error, /leads through a link|does not exist; create it first/);
        exchanged += await swapper.stop();
        assert.deepEqual(escapes(), [], `${way} of ${level}, ${from ?? "on the host"}`);
      }
      console.log(`${type}: ${counts[type]} creates, ${mounted} mounted the folder, ${exchanged} exchanges`);
      assert.ok(mounted > 0, "some containers did get the folder");
      assert.ok(exchanged > counts[type] * 1000, "the folders were exchanged all the time");
    },
  );
}

test("with a path in the share in place of a mount of the station's own, the same exchanges do lead outside", async () => {
  const shares = createShares({ test: at("public") });
  const swapper = swap("exchange", "a/op/d", "inside");
  for (let tries = 0; tries < 100 && escapes().length === 0; tries++) {
    const opened = await shares.openFolder(shares.parse("/test/a/op/d", "f")).catch(() => undefined);
    await opened?.handle.close();
    if (!opened) continue;
    const HostConfig = { Mounts: [{ Type: "bind", Source: at("public/a/op/d"), Target: "/mnt" }] };
    const body = { Image: "swapper:1", Cmd: ["touch", "/mnt/written"], HostConfig };
    await dockerApi("POST", `/containers/create?name=race-plain-${tries}`, body);
    await dockerApi("POST", `/containers/race-plain-${tries}/start`);
    await dockerApi("POST", `/containers/race-plain-${tries}/wait`);
  }
  await swapper.stop();
  assert.notDeepEqual(escapes(), [], "else the exchanges above prove nothing");
  execFileSync("find", [at("secret"), "-name", "written", "-delete"]);
  layOut(folder);
});

test("a setuid program or a device that a container leaves in a share has no power on the host", async () => {
  for (const path of [folder, join(folder, ".."), at("public")]) chmodSync(path, 0o755);
  const leave = "cp /usr/bin/id /mnt/id && chmod 4755 /mnt/id && (mknod /mnt/disk b 7 0 && chmod 666 /mnt/disk; true)";
  assert.equal((await inside("docker", "race-insider", "sh", "-c", leave)).json.exitCode, 0);
  const asNobody = (program: string, ...args: string[]) =>
    execFileSync(program, args, { uid: 65534, gid: 65534, encoding: "utf8" }).trim();
  assert.equal(asNobody(at("public/id"), "-u"), "65534");
  if (existsSync(at("public/disk")))
    assert.throws(() => asNobody("head", "-c1", at("public/disk")), /Permission denied/);
  execFileSync("cp", ["--preserve=mode", at("public/id"), join(folder, "id")]);
  assert.equal(asNobody(join(folder, "id"), "-u"), "0", "elsewhere the same file does make root of anybody");
});

/** What a reboot leaves: no container runs, what was mounted is gone, engines start what they are to start. */
async function reboot(change: () => void): Promise<void> {
  await world.station.stop();
  const docker = await pidOf("docker", "race-boot");
  await endDaemon("dockerd", "SIGTERM");
  if (docker > 0) process.kill(docker, "SIGKILL");
  await run("lxc-stop", "-P", world.lxc.path, "-k", "-n", "race-boot").catch(() => undefined);
  const lxd = await world.pid("lxd", "race-boot");
  await killLxd();
  if (lxd > 0) process.kill(lxd, "SIGKILL");
  for (const { point } of (await readMounts()).toReversed()) {
    if (point.startsWith("/run/gantry-shares") || point.startsWith(`${folder}/`)) await run("umount", "-l", point);
  }
  change();
  await Promise.all([startDockerd(), runLxd()]);
  await run("lxc-autostart", "-P", world.lxc.path, "-g", "onboot").catch(() => undefined);
  await world.station.start();
  sid = (await send("POST", "/login", { body: { username: "olga", password: userPassword } })).sid;
}

async function runs(type: EngineType): Promise<boolean> {
  return (await pidOf(type, "race-boot")) > 0;
}

test("after a reboot containers with autostart have their folder again", async () => {
  for (const type of types) {
    mkdirSync(at("public", type));
    await make(type, "race-boot", `/test/${type}`, { autostart: true });
  }
  await reboot(() => undefined);
  for (const type of types) {
    assert.ok(await until(() => runs(type), 20_000), `${type} is started by the station`);
    const { json } = await inside(type, "race-boot", "touch", "/mnt/after");
    assert.equal(json.exitCode, 0, JSON.stringify(json));
    assert.deepEqual(readdirSync(at("public", type)), ["after"]);
  }
  const share = (await readMounts()).findLast(({ point }) => point === at("public"));
  assert.ok(share?.options.has("nosuid") && share.options.has("nodev"), "the share has no power again");
});

test("after a reboot a link in the place of a folder is not followed", async () => {
  await reboot(() => {
    for (const type of types) {
      renameSync(at("public", type), at("public", `${type}.old`));
      symlinkSync(at("secret"), at("public", type));
    }
  });
  const { client } = world.station;
  assert.ok(await until(() => world.station.errors().split("cannot be mounted").length > types.length, 20_000));
  for (const type of types) {
    assert.equal(await runs(type), false, type);
    const { status } = await client.send("PUT", `/container/${type}/race-boot/start`);
    assert.equal(status, 403);
  }
  assert.deepEqual(readdirSync(at("secret")), ["a"]);
});
