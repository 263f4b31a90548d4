import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { until } from "../../support/daemon.ts";
import { dockerApi, hasImage, removeImage } from "../../support/docker-cli.ts";
import { programTests, type Ran } from "./program-tests.ts";
import { engineTypes, startLifeWorld, type LifeWorld, type Verbs } from "./worlds.ts";

/** Looks into containers, and programs that run in them. */

let world: LifeWorld;
before(async () => {
  world = await startLifeWorld("inside-");
});
after(() => world.close());

/** Processes of this host whose command line is this, those of containers too. */
function processes(command: string): string[] {
  const all = execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" }).split("\n");
  return all.filter((line) => line.replace(/^\s*\d+\s/, "") === command);
}

for (const type of engineTypes) {
  describe(`inside ${type}`, { concurrency: false }, () => {
    const name = "inside-one";
    let verbs: Verbs;
    const exec = (body: unknown) => world.station.client.ok<Ran>("POST", verbs.at(name, "/exec"), body);
    const refused = async (body: unknown) => {
      const { status, body: answer } = await world.station.client.send("POST", verbs.at(name, "/exec"), body);
      return { status, ...(answer as { error: { message: string; field?: string } }).error };
    };
    before(async () => {
      verbs = world.on(type);
      await verbs.create(name);
    });

    test("a program's output, its errors and its exit code", async () => {
      const shell = 'echo "out $WORD"; echo err >&2; exit 3';
      const result = await exec({ command: ["sh", "-c", shell], environment: ["WORD=a  b"] });
      assert.deepEqual(result, { exitCode: 3, stdout: "out a  b\n", stderr: "err\n", truncated: false });
    });

    test("a text is split as a shell splits it, and nothing of it is a shell's", async () => {
      const { stdout } = await exec({ command: "echo 'a  b' $(id) ; >x" });
      assert.equal(stdout, "a  b $(id) ; >x\n");
      assert.equal((await exec({ command: ["echo", "--help", "-n"] })).exitCode, 0);
    });

    programTests(type, { exec, refused });

    test("more than a MiB of output is cut", async () => {
      const result = await exec({ command: ["sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x"] });
      assert.deepEqual([result.exitCode, result.stdout.length, result.truncated], [0, 1 << 20, true]);
    });

    test("it is killed when it takes too long, and when its client goes", async () => {
      const late = await refused({ command: ["sleep", "731"], timeout: 1 });
      assert.deepEqual([late.status, late.message], [504, "The program was killed: it took longer than 1 s."]);
      assert.ok(await until(() => processes("sleep 731").length === 0, 60_000), processes("sleep 731").join());
      const gone = new AbortController();
      const asking = fetch(`${world.station.url}/api/v1${verbs.at(name, "/exec")}`, {
        method: "POST",
        headers: { cookie: world.station.client.cookie() },
        body: JSON.stringify({ command: ["sleep", "732"] }),
        signal: gone.signal,
      });
      assert.ok(await until(() => processes("sleep 732").length > 0, 60_000));
      gone.abort();
      await assert.rejects(asking);
      assert.ok(await until(() => processes("sleep 732").length === 0, 60_000), processes("sleep 732").join());
    });

    test("none runs in what is paused or stopped", async () => {
      await verbs.pause(name);
      assert.equal((await refused({ command: ["true"] })).status, 409);
      await verbs.unpause(name);
      await verbs.stop(name);
      assert.equal((await refused({ command: ["true"] })).status, 409);
      await verbs.start(name);
    });

    test("33 at once: one too many", async () => {
      const many = await Promise.all(
        Array.from({ length: 33 }, () =>
          world.station.client.send("POST", verbs.at(name, "/exec"), { command: ["sleep", "2"] }),
        ),
      );
      const statuses = many.map(({ status }) => status);
      assert.ok(statuses.includes(429), statuses.join());
      assert.ok(
        statuses.every((status) => status === 200 || status === 429),
        statuses.join(),
      );
    });

    test("facts, on which no verb waits", async () => {
      const facts = await world.station.client.ok<{ NetworkSettings: { Ports: object } }>(
        "GET",
        verbs.at(name, "/inspect"),
      );
      assert.deepEqual(facts.NetworkSettings.Ports, {});
      const { status } = await world.station.client.send("GET", verbs.at(name, "/logs?tail=0"));
      assert.equal(status, 400);
    });
  });
}

describe("inside docker only", { concurrency: false }, () => {
  test("the end of a log, with a terminal and without one", async () => {
    const { client } = world.station;
    const shell = "for n in 1 2 3 4 5; do echo line $n; done; echo error >&2";
    await world.on("docker").create("inside-log", { entrypoint: ["sh", "-c"], command: [shell] });
    const bare = { Image: "busybox:latest", Cmd: ["sh", "-c", shell], Tty: false };
    await dockerApi("POST", "/containers/create?name=inside-bare", bare);
    await dockerApi("POST", "/containers/inside-bare/start");
    for (const [name, end] of [
      ["inside-log", "\r\n"],
      ["inside-bare", "\n"],
    ] as const) {
      const read = (tail: number) =>
        client.ok<{ logs: string; tail: number }>("GET", `/container/docker/${name}/logs?tail=${tail}`);
      assert.ok(await until(async () => (await read(9)).logs.includes("error"), 60_000), name);
      // Of two streams either may be read first.
      const all = ["line 1", "line 2", "line 3", "line 4", "line 5", "error"].map((line) => `${line}${end}`);
      const lines = async (tail: number) => (await read(tail)).logs.split(/(?<=\n)/).toSorted();
      assert.deepEqual(await lines(9), all.toSorted(), name);
      const { logs, tail } = await read(3);
      assert.deepEqual([tail, logs.split(/(?<=\n)/).length], [3, 3]);
    }
    assert.equal((await client.ok<{ tail: number }>("GET", "/container/docker/inside-log/logs")).tail, 100);
  });

  test("a log of more than a MiB is cut, and says so; one that is short is not", async () => {
    const { client } = world.station;
    await world.on("docker").create("inside-long", { entrypoint: ["sh", "-c"], command: ["seq 1 200000"] });
    const at = "/container/docker/inside-long/logs";
    const read = (tail: number) => client.ok<{ logs: string; truncated?: true }>("GET", `${at}?tail=${tail}`);
    assert.ok(await until(async () => (await read(1)).logs.startsWith("200000"), 20_000));
    const { logs, truncated } = await read(999_999);
    assert.deepEqual([logs.length, logs.slice(-8), truncated], [1 << 20, "200000\r\n", true]);
    assert.equal((await read(1000)).truncated, undefined);

    const lxc = world.on("lxc");
    await lxc.create("inside-long");
    const write = "seq 1 200000 >/dev/console && echo over >/dev/console";
    await client.ok("POST", lxc.at("inside-long", "/exec"), { command: ["sh", "-c", write] });
    const console = async (tail: number) => {
      const { body, headers } = await client.send("GET", lxc.at("inside-long", `/logs?tail=${tail}`));
      return { text: String(body), truncated: headers.get("x-truncated") };
    };
    assert.ok(await until(async () => (await console(1)).text.startsWith("over"), 20_000));
    const long = await console(999_999);
    assert.deepEqual([long.text.length, long.truncated], [1 << 20, "true"]);
    assert.equal((await console(1000)).truncated, null);
  });

  test("an image is made of a container: files, author and message, and no mark of its maker", async () => {
    const { client } = world.station;
    const docker = world.on("docker");
    await docker.create("inside-commit");
    await client.ok("POST", docker.at("inside-commit", "/exec"), { command: ["sh", "-c", "echo kept >/kept"] });
    const body = { repository: "inside/made", tag: "v1", author: "jj", message: "hi" };
    const { image_id: id } = await client.ok<{ image_id: string }>("POST", docker.at("inside-commit", "/commit"), body);
    assert.match(id, /^sha256:[0-9a-f]{64}$/);
    const image = await dockerApi<{
      Id: string;
      Author: string;
      Comment: string;
      Config: { Labels: Record<string, string> };
    }>("GET", "/images/inside/made:v1/json");
    assert.deepEqual([image.Id, image.Author, image.Comment], [id, "jj", "hi"]);
    assert.equal(image.Config.Labels["gantry.task"], "");
    const made = { repository: "local", image: "inside/made", tag: "v1", command: "cat /kept" };
    await docker.create("inside-second", made);
    const logs = async () => (await client.ok<{ logs: string }>("GET", docker.at("inside-second", "/logs"))).logs;
    assert.ok(await until(async () => (await logs()) === "kept\r\n", 60_000), await logs());
    const { image_id: again } = await client.ok<{ image_id: string }>(
      "POST",
      docker.at("inside-commit", "/commit"),
      body,
    );
    assert.notEqual(again, id);
    for (const bad of [{}, { repository: "A B" }, { repository: "a", tag: "-x" }, { ...body, other: 1 }]) {
      assert.equal((await client.send("POST", docker.at("inside-commit", "/commit"), bad)).status, 400);
    }
    await docker.remove("inside-second", "?force=true");
    await removeImage("inside/made:v1");
    await removeImage(id);
    assert.equal(await hasImage("inside/made:v1"), false);
  });

  test("lxc and lxd make no images", async () => {
    for (const type of ["lxc", "lxd"] as const) {
      const path = world.on(type).at("inside-one", "/commit");
      const { status } = await world.station.client.send("POST", path, { repository: "a" });
      assert.equal(status, 501);
    }
  });

  test("anonymous volumes stay, unless they are to go", async () => {
    const docker = world.on("docker");
    const volumes = async () =>
      (await dockerApi<{ Volumes: { Name: string }[] | null }>("GET", "/volumes")).Volumes?.length ?? 0;
    const before = await volumes();
    const volume = { new: ["/data"] };
    await docker.create("inside-volume", { volume });
    await docker.remove("inside-volume", "?force=true");
    assert.equal(await volumes(), before + 1);
    await docker.create("inside-volume", { volume });
    await docker.remove("inside-volume", "?force=true&remove_volumes=true");
    assert.equal(await volumes(), before + 1);
  });
});

test("reading the console of a system container does not change it, over a restart of the station and of the container", async () => {
  const { client } = world.station;
  for (const type of ["lxc", "lxd"] as const) {
    const verbs = world.on(type);
    const read = async () => JSON.stringify(await client.ok("GET", verbs.at("inside-console", "/logs?tail=100000")));
    await verbs.create("inside-console");
    // More than LXD keeps in memory.
    const shell = "echo the-beginning; seq 1 40000; echo the-end";
    await client.ok("POST", verbs.at("inside-console", "/exec"), {
      command: ["sh", "-c", `{ ${shell}; } >/dev/console`],
    });
    assert.ok(await until(async () => (await read()).includes("the-end"), 60_000), type);
    const text = await read();
    assert.ok(text.includes(String.raw`the-beginning\r\n1\r\n2\r\n`), type);
    assert.ok((await read()) === text, type);
    await world.station.stop();
    await world.station.start();
    await client.login();
    assert.ok((await read()) === text, type);
    await client.ok("PUT", verbs.at("inside-console", "/stop"));
    assert.ok((await read()).includes("the-end"), type);
    await client.ok("PUT", verbs.at("inside-console", "/start"));
    assert.ok((await read()).includes("the-end"), type);
  }
});
