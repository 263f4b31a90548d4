import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { until } from "../support/daemon.ts";
import { removeContainers, removeImage } from "../support/docker-cli.ts";
import { freePort } from "../support/free-port.ts";
import { startStation, type TestStation } from "../support/station.ts";
import { dockerEnv, exportBundle } from "./bundle.ts";

const run = promisify(execFile);
const patience = { timeout: 60_000 };

let station: TestStation;
let port: number;
let bundle: string;
before(async () => {
  port = await freePort();
  station = await startStation({ flags: ["--docker-tls", `127.0.0.1:${port}`] });
  bundle = await exportBundle(station, "first");
});
after(async () => {
  await station.close();
  await removeContainers("gw-");
});

async function docker(...args: string[]): Promise<string> {
  const { stdout } = await run("docker", args, { env: dockerEnv(port, bundle), ...patience });
  return stdout;
}

test("docker run passes standard input to its end and returns the exit code", async () => {
  assert.equal(await docker("run", "--name", "gw-run", "busybox", "echo", "hello"), "hello\n");
  const failing = docker("run", "--rm", "busybox", "sh", "-c", "exit 7");
  await assert.rejects(failing, (error) => (error as { code?: number }).code === 7);
  const env = dockerEnv(port, bundle);
  const text = "a line\n".repeat(20_000);
  const output = execFileSync("docker", ["run", "--rm", "-i", "busybox", "cat"], { env, input: text, ...patience });
  assert.equal(output.toString(), text);
});

test("docker exec -it works on a terminal", async () => {
  await docker("run", "-d", "--name", "gw-exec", "busybox", "sleep", "600");
  const command =
    "docker exec -it gw-exec sh -c 'test -t 0 && test -t 1 && echo terminal && read line && echo got=$line'";
  const terminal = spawn("script", ["-qec", command, "/dev/null"], { env: dockerEnv(port, bundle) });
  let seen = "";
  terminal.stdout.on("data", (chunk: Buffer) => (seen += chunk.toString()));
  assert.ok(await until(() => seen.includes("terminal"), 30_000), seen);
  terminal.stdin.write("typed\n");
  assert.ok(await until(() => seen.includes("got=typed"), 30_000), seen);
  terminal.stdin.end();
});

test("docker logs -f follows the output, and docker events streams", async () => {
  const script = "echo one; while [ ! -e /go ]; do sleep 0.1; done; echo two; sleep 600";
  await docker("run", "-d", "--name", "gw-logs", "busybox", "sh", "-c", script);
  const env = dockerEnv(port, bundle);
  const logs = spawn("docker", ["logs", "-f", "gw-logs"], { env });
  const events = spawn("docker", ["events", "--filter", "container=gw-logs"], { env });
  let seen = "";
  let told = "";
  logs.stdout.on("data", (chunk: Buffer) => (seen += chunk.toString()));
  events.stdout.on("data", (chunk: Buffer) => (told += chunk.toString()));
  try {
    assert.ok(await until(() => seen === "one\n", 30_000), seen);
    await docker("exec", "gw-logs", "touch", "/go");
    assert.ok(await until(() => seen === "one\ntwo\n", 30_000), seen);
    assert.ok(await until(() => told.includes("exec_start"), 30_000), told);
  } finally {
    logs.kill();
    events.kill();
  }
});

test("docker cp copies both ways without loss", async () => {
  const file = join(station.folder, "big.bin");
  execFileSync("dd", ["if=/dev/urandom", `of=${file}`, "bs=1M", "count=8", "status=none"]);
  await docker("cp", file, "gw-exec:/big.bin");
  const back = join(station.folder, "back.bin");
  await docker("cp", "gw-exec:/big.bin", back);
  assert.ok(readFileSync(file).equals(readFileSync(back)));
});

test("docker build makes an image that runs", async () => {
  const context = join(station.folder, "context");
  mkdirSync(context);
  writeFileSync(join(context, "Dockerfile"), "FROM busybox\nCOPY note /note\nRUN echo built >> /note\n");
  writeFileSync(join(context, "note"), "sent\n");
  await docker("build", "-q", "-t", "gw-built:1", context);
  assert.equal(await docker("run", "--rm", "gw-built:1", "cat", "/note"), "sent\nbuilt\n");
  await removeImage("gw-built:1");
});

test("after a rotation the old bundle is refused, even on an open connection, and the new one works", async () => {
  const env = dockerEnv(port, bundle);
  const following = spawn("docker", ["logs", "-f", "gw-logs"], { env });
  let seen = "";
  let ended = false;
  following.stdout.on("data", (chunk: Buffer) => (seen += chunk.toString()));
  following.once("exit", () => (ended = true));
  assert.ok(await until(() => seen.includes("two"), 30_000));
  assert.deepEqual(await station.client.ok("POST", "/tls/rotation"), { result: true });
  assert.ok(await until(() => ended, 60_000), "the open stream goes on");
  await assert.rejects(docker("version"), (error) => /certificate|EOF|handshake|reset/i.test(String(error)));
  bundle = await exportBundle(station, "second");
  assert.match(await docker("version"), /Server/);
});

test("the certificates survive a restart of the station", async () => {
  await station.stop();
  await station.start();
  assert.match(await docker("version"), /Server/);
});

test("the gateway responds 503 if the engine does not answer", async (t) => {
  const other = await freePort();
  const flags = ["--docker-tls", `127.0.0.1:${other}`];
  const lonely = await startStation({ flags, docker: "unix:///nowhere/docker.sock" });
  t.after(() => lonely.close());
  const env = dockerEnv(other, await exportBundle(lonely, "lonely"));
  const failing = run("docker", ["ps"], { env, ...patience });
  await assert.rejects(failing, /The Docker engine does not answer on this host\./);
});
