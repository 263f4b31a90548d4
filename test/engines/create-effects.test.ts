import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import type { ContainerSpec } from "../../src/engines/container-spec.ts";
import { until } from "../support/patiently.ts";
import { runInside } from "./commands.ts";
import { containerSpec } from "./container-spec.ts";
import { dockerBench, image } from "./docker-bench.ts";
import { freePort } from "../support/free-port.ts";
import { fails } from "./engine-checks.ts";
import { fileInside, mounts, statusField } from "./kernel.ts";

/** Parameters whose effect shows only when something happens: a packet, another container, a crash. */
const { engine, http, launch } = dockerBench();

test("create: device; what is allowed can be opened, and without it not", async () => {
  // The container's own process tries: a process that is sent in from outside is not in its control group.
  const open =
    "busybox mknod /tmp/fuse c 10 229; busybox dd if=/tmp/fuse of=/dev/null count=0; echo $? >/tmp/result; exec cat";
  const entrypoint = ["sh", "-c", open];
  const opened = async (devices: ContainerSpec["devices"]): Promise<boolean> => {
    const { pid } = await launch({ entrypoint, devices });
    await until(() => existsSync(`/proc/${pid}/root/tmp/result`) && fileInside(pid, "/tmp/result") !== "");
    return fileInside(pid, "/tmp/result") === "0\n";
  };
  assert.equal(await opened([{ majors: [{ kind: "c", major: 10 }], access: "rwm" }]), true);
  assert.equal(await opened([{ majors: [{ kind: "c", major: 13 }], access: "rwm" }]), false);
  assert.equal(await opened([]), false);
});

test("create: privileged", async () => {
  const all = (1n << BigInt(Number(readFileSync("/proc/sys/kernel/cap_last_cap", "utf8")) + 1)) - 1n;
  const machine = BigInt(`0x${statusField(process.pid, "CapBnd")}`);
  if (machine === all) {
    const { pid } = await launch({ privileged: true });
    assert.equal(BigInt(`0x${statusField(pid, "CapEff")}`), all);
    return;
  }
  // A machine without every capability cannot give them: Docker then starts no privileged container, and says so.
  const id = await engine.containers.create(containerSpec({ image, privileged: true }));
  await fails(engine.containers.start(id), "engine_failed", /caps/);
  const { HostConfig } = await http.json<{ HostConfig: { Privileged: boolean } }>({ path: `/containers/${id}/json` });
  assert.equal(HostConfig.Privileged, true);
});

test("create: port, tcp and udp, by a real echo", async (t) => {
  const [tcp, udp] = [await freePort(), await freePort()];
  const ports = [
    { host: tcp, container: 7000, protocol: "tcp" as const },
    { host: udp, container: 7000, protocol: "udp" as const },
  ];
  const container = await launch({ ports, exposedPorts: [9999] });
  assert.deepEqual(container.ports, ports);
  // busybox speaks no UDP: the echo comes from this side, into the container's network.
  const echo = spawn("nsenter", [
    "-t",
    String(container.pid),
    "-n",
    "--",
    process.execPath,
    join(import.meta.dirname, "echo-server.ts"),
  ]);
  t.after(() => echo.kill("SIGKILL"));
  await until(async () => (await echoTcp(tcp)) === "over tcp");
  await until(async () => (await echoUdp(udp)) === "over udp");
  const { Config } = await http.json<{ Config: { ExposedPorts: object } }>({
    path: `/containers/${container.id}/json`,
  });
  assert.deepEqual(Object.keys(Config.ExposedPorts).toSorted(), ["7000/tcp", "7000/udp", "9999/tcp"]);
});

test("create: volume host, ro and rw, with a name that Binds would cut", async () => {
  const folder = mkdtempSync(join(tmpdir(), "a:b "));
  writeFileSync(join(folder, "file"), "of the host");
  const mount = { source: folder, readOnly: false };
  const container = await launch({
    mounts: [
      { ...mount, target: "/rw" },
      { ...mount, target: "/ro", readOnly: true },
    ],
  });
  const seen = mounts(container.pid);
  assert.equal(seen.find(({ target }) => target === "/rw")?.readOnly, false);
  assert.equal(seen.find(({ target }) => target === "/ro")?.readOnly, true);
  await runInside(container.pid, "sh", "-c", "echo new >/rw/new");
  assert.equal(fileInside(container.pid, "/ro/new"), "new\n");
  await assert.rejects(runInside(container.pid, "sh", "-c", "echo x >/ro/x"), /Read-only file system/);
  await assert.rejects(
    engine.containers.create(
      containerSpec({ image, mounts: [{ ...mount, source: `${folder}/absent`, target: "/x" }] }),
    ),
    /does not exist/,
  );
});

test("create: volume new and container; they go with their container", async () => {
  const owner = await launch({ newVolumes: ["/data", "/more"] });
  await runInside(owner.pid, "sh", "-c", "echo kept >/data/file");
  const user = await launch({ volumesFrom: [owner.id] });
  assert.equal(fileInside(user.pid, "/data/file"), "kept\n");
  const volumes = (pid: number): string[] =>
    mounts(pid)
      .filter(({ target }) => ["/data", "/more"].includes(target))
      .map(({ root }) => root)
      .toSorted();
  assert.equal(volumes(owner.pid).length, 2);
  assert.deepEqual(volumes(user.pid), volumes(owner.pid));
  const before = await volumeNames();
  await engine.containers.remove(user.id);
  await engine.containers.remove(owner.id);
  assert.equal(before.length - (await volumeNames()).length, 2);
});

test("create: links", async () => {
  const server = await launch({
    entrypoint: ["sh", "-c", "mkdir /w; echo linked >/w/index.html; exec busybox httpd -f -p 80 -h /w"],
  });
  const client = await launch({ links: [{ container: server.id, alias: "db" }] });
  assert.match(
    fileInside(client.pid, "/etc/hosts"),
    new RegExp(`^\\d+\\.\\d+\\.\\d+\\.\\d+\\s+db .*${server.name}`, "m"),
  );
  await until(
    async () => (await runInside(client.pid, "wget", "-q", "-O", "-", "http://db/").catch(() => "")) === "linked",
  );
});

test("create: autostart runs again when it ends, and without it not", async () => {
  const on = await launch({ autostart: true });
  const off = await launch({ autostart: false });
  for (const { pid } of [on, off]) process.kill(pid, "SIGKILL");
  await until(
    async () => {
      const container = await engine.containers.getById(on.id);
      return container?.state === "running" && container.pid > 0 && container.pid !== on.pid;
    },
    () => http.json({ path: `/containers/${on.id}/json` }),
  );
  assert.equal((await engine.containers.getById(off.id))?.state, "stopped");
});

test("create: labels and log limits as documented", async () => {
  const spec = containerSpec({ image });
  const id = await engine.containers.create(spec);
  const { Config, HostConfig } = await http.json<{
    Config: { Labels: Record<string, string>; Tty: boolean; OpenStdin: boolean };
    HostConfig: { LogConfig: object; RestartPolicy: { Name: string }; Binds: unknown };
  }>({ path: `/containers/${id}/json` });
  assert.deepEqual(Config.Labels, {
    "gantry.task": `${spec.mark.station}/${spec.mark.task}`,
    "gantry.network": "nat",
    "com.qnap.qcs.network.mode": "nat",
    "com.qnap.qcs.gpu": "False",
  });
  assert.deepEqual(HostConfig.LogConfig, { Type: "json-file", Config: { "max-size": "10m", "max-file": "10" } });
  assert.ok(Config.Tty && Config.OpenStdin && HostConfig.RestartPolicy.Name === "no" && !HostConfig.Binds);
});

async function volumeNames(): Promise<string[]> {
  const { Volumes } = await http.json<{ Volumes: { Name: string }[] | null }>({ path: "/volumes" });
  return (Volumes ?? []).map(({ Name }) => Name);
}

async function echoTcp(port: number): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const parts: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => parts.push(chunk) && socket.end());
  socket.on("error", () => undefined);
  socket.setTimeout(1000, () => socket.destroy());
  socket.write("over tcp");
  await once(socket, "close").catch(() => undefined);
  return Buffer.concat(parts).toString();
}

async function echoUdp(port: number): Promise<string> {
  const socket = createSocket("udp4");
  const answer = once(socket, "message") as Promise<[Buffer]>;
  socket.send("over udp", port, "127.0.0.1");
  const [text] = await Promise.race([answer, delay(1000, [Buffer.from("")] as const)]);
  socket.close();
  return text.toString();
}
