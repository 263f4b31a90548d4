import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import type { Task } from "../../src/api/task.ts";
import { runInside } from "../engines/commands.ts";
import { dockerApi, hasContainer, removeContainers } from "../support/docker-cli.ts";
import { startDockerProxy, type DockerProxy, type EngineMoment } from "../support/docker-proxy.ts";
import { testEngines } from "../support/engines.ts";
import { busyboxLayer } from "../support/images.ts";
import { pushImage } from "../support/registry.ts";
import { startStation, type TestStation } from "../support/station.ts";

/** A volume is what was checked, whatever lies in the share and whoever exchanges it meanwhile. */
const folder = mkdtempSync(join(tmpdir(), "volumes-"));
const at = (...path: string[]) => join(folder, ...path);
const secret = at("secret");

let station: TestStation;
let proxy: DockerProxy;
let watch: (moment: EngineMoment) => void = () => undefined;

before(async () => {
  for (const path of ["public/real/below", "public/mounted", "secret", "elsewhere/of link"]) {
    mkdirSync(at(path), { recursive: true });
  }
  writeFileSync(at("public/file"), "");
  writeFileSync(join(secret, "key"), "the host's own");
  symlinkSync("/etc", at("public/etc"));
  symlinkSync("real", at("public/inner"));
  symlinkSync(at("elsewhere"), at("linked"));
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", at("public/mounted")]);
  mkdirSync(at("public/mounted/deeper"));
  await pushLinkedImage();
  proxy = await startDockerProxy(at("docker.sock"), (moment) => watch(moment));
  const shares = [`Public=${at("public")}`, `Linked=${at("linked")}`, `Gone=${at("gone")}`];
  station = await startStation({ docker: proxy.address, flags: shares.flatMap((share) => ["--share", share]) });
});
afterEach(() => removeContainers("attack"));
after(async () => {
  await station.close();
  await proxy.close();
  execFileSync("umount", [at("public/mounted")]);
});

/** An image whose own links lead a mount elsewhere than its path says. */
async function pushLinkedImage(): Promise<void> {
  const root = at("image");
  mkdirSync(root);
  symlinkSync("/somewhere/only/in/the/image", join(root, "absolute"));
  symlinkSync(folder, join(root, "as-on-the-host"));
  const layer = execFileSync("tar", ["-C", root, "-c", "."]);
  const config = { Cmd: ["sh"], Env: ["PATH=/bin"] };
  const { registry } = testEngines();
  await pushImage({ layers: [busyboxLayer(), layer], config }, { registry, reference: "library/linked:1" });
}

const plain = { type: "docker", repository: "dockerhub", image: "busybox", tag: "latest", name: "attack" };

function create(host: object, changes: object = {}): Promise<Task> {
  return station.client.add("create", { ...plain, ...changes, volume: { host } });
}

/** Returns what a file in the container holds. */
async function read(file: string): Promise<string> {
  const { State } = await dockerApi<{ State: { Pid: number } }>("GET", "/containers/attack/json");
  return runInside(State.Pid, "cat", file);
}

async function assertRefused(task: Task, reason: RegExp): Promise<void> {
  const ended = await station.client.ended(task.id);
  assert.equal(ended.state, "error");
  assert.equal(ended.result, 1);
  assert.match(String(ended.error), reason);
  assert.equal(await hasContainer("attack"), false, "no container is left");
}

const refused: [what: string, path: string, reason: RegExp][] = [
  ["a link to /etc", "/Public/etc", /\/Public\/etc is not a folder, or leads through a link/],
  ["a folder behind a link to /etc", "/Public/etc/ssl", /leads through a link/],
  ["a link that stays in the share", "/Public/inner", /leads through a link/],
  ["a folder behind such a link", "/Public/inner/below", /leads through a link/],
  ["a file", "/Public/file", /is not a folder/],
  ["a folder below a file", "/Public/file/x", /is not a folder/],
  ["another file system", "/Public/mounted", /another file system/],
  ["a folder on another file system", "/Public/mounted/deeper", /another file system/],
  ["a share whose root is gone", "/Gone", /shared folder \/Gone does not exist/],
  ["a folder of a share that is gone", "/Gone/x", /shared folder \/Gone does not exist/],
];
for (const [what, path, reason] of refused) {
  test(`refused: ${what}`, async () => {
    await assertRefused(await create({ [path]: { bind: "/mnt" } }), reason);
  });
}

test("a share may itself be given by a link: that is the operator's own word", async () => {
  const task = await create({ "/Linked/of link": { bind: "/mnt" } });
  assert.equal((await station.client.ended(task.id)).error, undefined);
  const { body } = await station.client.send("GET", "/container/docker/attack/inspect");
  const { Mounts, HostConfig } = body as { Mounts: { Source: string }[]; HostConfig: { Binds: string[] } };
  assert.deepEqual(
    Mounts.map(({ Source }) => Source),
    ["/share/Linked/of link"],
  );
  assert.deepEqual(HostConfig.Binds, ["/share/Linked/of link:/mnt:rw"]);
  writeFileSync(at("elsewhere/of link/mark"), "of the link");
  assert.equal(await read("/mnt/mark"), "of the link");
});

test("a file system inside a folder that is mounted read-only cannot be written either", async () => {
  const task = await create({ "/Public": { bind: "/mnt", ro: true } });
  assert.equal((await station.client.ended(task.id)).error, undefined);
  const { State } = await dockerApi<{ State: { Pid: number } }>("GET", "/containers/attack/json");
  await assert.rejects(runInside(State.Pid, "touch", "/mnt/mounted/x"), /Read-only|No such file/);
});

const victim = at("public/victim");
const exchanges: Record<string, () => void> = {
  "a link to a folder of the host": () => symlinkSync(secret, victim),
  "another folder": () => mkdirSync(victim),
};
const moments = [
  { path: "/containers/create", name: "before Docker sees the create" },
  { path: "/start", name: "before Docker sees the start" },
];
const targets = [
  { image: "busybox", tag: "latest", bind: "/mnt" },
  { image: "linked", tag: "1", bind: "/absolute/below" },
  { image: "linked", tag: "1", bind: "/as-on-the-host/public/real" },
];

beforeEach(() => {
  rmSync(victim, { recursive: true, force: true });
  rmSync(at("taken-away"), { recursive: true, force: true });
  mkdirSync(victim);
});

function exchangeAt(path: string, put: () => void): void {
  watch = ({ when, method, path: seen }) => {
    if (when !== "before" || method !== "POST" || !seen.includes(path)) return;
    watch = () => undefined;
    renameSync(victim, at("taken-away"));
    put();
  };
}

for (const { path, name } of moments) {
  for (const [what, put] of Object.entries(exchanges)) {
    for (const { bind, ...image } of targets) {
      test(`the folder that was opened is mounted at ${bind} of ${image.image}, though ${what} takes its place ${name}`, async () => {
        writeFileSync(join(victim, "mark"), "of the victim");
        exchangeAt(path, put);
        const task = await create({ "/Public/victim": { bind } }, image);
        assert.equal((await station.client.ended(task.id)).error, undefined);
        assert.equal(await read(`${bind}/mark`), "of the victim");
      });
    }
  }
}

test("not exchanged: also at the odd places the mount is what it should be", async () => {
  for (const { bind, ...image } of targets) {
    writeFileSync(join(victim, "mark"), "of the victim");
    const task = await create({ "/Public/victim": { bind } }, image);
    assert.equal((await station.client.ended(task.id)).error, undefined, bind);
    await removeContainers("attack");
  }
});

test("an engine that does not see the station's mounts gets no folder, and the task says why", async () => {
  const apart = await startStation({
    docker: proxy.address,
    flags: ["--share", `Public=${at("public")}`],
    through: ["unshare", "--mount", "--propagation", "private", "--"],
  });
  try {
    const volume = { host: { "/Public/real": { bind: "/mnt" } } };
    const task = await apart.client.add("create", { ...plain, volume });
    const { error } = await apart.client.ended(task.id);
    assert.match(String(error), /volume\.host cannot be given to docker: it does not see the mounts of this host/);
    assert.equal(await hasContainer("attack"), false);
  } finally {
    await apart.close();
  }
});
