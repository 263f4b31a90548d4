import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { createLxcEvents } from "../../src/engines/lxc/events.ts";
import { run } from "./commands.ts";
import { containerSpec, testStation } from "./container-spec.ts";
import { fails } from "./engine-checks.ts";
import { image, leftovers, lxcBench, nothing } from "./lxc-bench.ts";

/** What others on this host, or names and paths of a request, might do. */
const { engine, lxc, launch } = lxcBench();

test("who pretends to be LXC's process of a container gets nobody killed", async (context) => {
  const name = await engine().containers.create(containerSpec({ image }));
  // Its parent is not who listens.
  const shell = spawn("sh", ["-c", "sleep 60 & echo $!; wait"], { stdio: ["ignore", "pipe", "ignore"] });
  const [said] = (await once(shell.stdout, "data")) as [Buffer];
  const victim = Number(said.toString());
  const impostor = await pretend(name, victim);
  context.after(() => impostor.close());
  context.after(() => void (shell.exitCode === null && process.kill(victim)));
  assert.match(await run("lxc-info", "-P", lxc().path, "-n", name, "-sp"), new RegExp(`RUNNING\nPID: +${victim}$`));
  assert.equal((await engine().containers.getByName(name))?.pid, 0);
  const stopping = engine().containers.kill(name);
  await delay(1_500);
  impostor.close();
  await stopping;
  assert.equal(shell.exitCode, null, "it lives, and its shell waits for it");
  await engine().containers.start(name);
  assert.ok(((await engine().containers.getByName(name))?.pid ?? 0) > 0);
});

/** Listens where LXC's own process would, and says that the container's first process is that one. */
async function pretend(name: string, victim: number): Promise<Server> {
  const getState = 3;
  const running = 2;
  // LXC's protocol: 16 bytes that begin with a command are answered by a result, a length and a number.
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (request) => {
      const answer = Buffer.alloc(16);
      answer.writeBigUInt64LE(BigInt(request.readInt32LE(0) === getState ? running : victim), 8);
      socket.write(answer);
    });
  });
  server.listen(`\0${lxc().path}/${name}/command`);
  await once(server, "listening");
  return server;
}

test("read only is not lost behind a long path", async () => {
  const source = mkdtempSync(join(tmpdir(), "source-"));
  let made = 0;
  for (let length = 4060; length < 4110; length += 3) {
    const mounts = [{ source, target: longTarget(length - source.length), readOnly: true }];
    const creating = engine().containers.create(containerSpec({ image, mounts }));
    const name = await creating.catch(() => undefined);
    if (name === undefined) {
      await fails(creating, "invalid", /volume\.host/);
      continue;
    }
    made++;
    await engine().containers.start(name);
    const { pid } = (await engine().containers.getByName(name)) ?? { pid: 0 };
    const table = await run("cat", `/proc/${pid}/mountinfo`);
    // The kernel says where it lies in its own file system, which may be mounted at /tmp.
    const line = table.split("\n").find((entry) => entry.includes(`/${basename(source)} `));
    assert.match(line ?? "", / ro,/, `${length}`);
    await engine().containers.remove(name);
  }
  assert.ok(made > 0, "what is short enough is made");
});

/** A path that takes so many bytes where a space takes four. */
function longTarget(length: number): string {
  let target = "";
  let left = length;
  for (; left > 1000; left -= 801) target += `/${" ".repeat(200)}`;
  for (; left > 200; left -= 200) target += `/${"a".repeat(199)}`;
  return `${target}/${"a".repeat(left - 1)}`;
}

test("a name as of what is being deleted is a name", async () => {
  const { path, hostsDir } = lxc();
  for (const name of ["x.removed-1-2", "removed-1-2.x", "1.removed-2"]) {
    // As a station leaves it that was killed in the middle of its create.
    mkdirSync(join(path, ".gantry-staging", `${testStation}.7.${name}`), { recursive: true });
    mkdirSync(join(path, name));
    writeFileSync(join(hostsDir, name), "00:16:3e:00:00:01,10.0.3.77\n");
  }
  const running = (await launch()).name;
  await engine().recover(testStation);
  const others = (await engine().containers.list()).map((container) => container.name);
  assert.ok(others.includes(running));
  assert.deepEqual(leftovers(lxc(), others), nothing);
});

test("a host on which a look takes long has no more of them than it can do", async () => {
  let looks = 0;
  const snapshot = async () => {
    looks++;
    await delay(100);
    return new Map();
  };
  const events = createLxcEvents({ path: lxc().path, snapshot });
  const end = new AbortController();
  events.subscribe(end.signal);
  await Promise.all(Array.from({ length: 50 }, events.refresh));
  end.abort();
  assert.ok(looks <= 3, `${looks} looks`);
});
