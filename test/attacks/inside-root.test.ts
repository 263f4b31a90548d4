import assert from "node:assert/strict";
import { until } from "../support/daemon.ts";
import { existsSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { removeContainers } from "../support/docker-cli.ts";
import { startSystemWorld, type SystemWorld } from "../support/system-station.ts";
import { senderTo, type Send, userPassword } from "./sender.ts";

/**
 * What root inside a container of an operator may do outside. Each row is tried from inside, by an operator, through the
 * API, on each engine; SECURITY.md has the same table, and says the same.
 */
interface Row {
  what: string;
  /** Prints REACHED when it did what it tries. */
  script: string;
}

const engines = ["docker", "lxc", "lxd"] as const;
type EngineName = (typeof engines)[number];
const images = {
  docker: { type: "docker", repository: "dockerhub", image: "busybox", tag: "latest", command: "sleep 3600" },
  lxc: { type: "lxc", repository: "qnap", image: "ubuntu-bionic", tag: "latest" },
  lxd: { type: "lxd", repository: "lxd", image: "ubuntu", tag: "bionic" },
} as const;

/** The disk that this host's files are on. */
const { dev } = statSync("/");
const disk = { major: Math.floor(dev / 256) & 0xfff, minor: dev & 0xff };
const untouched = ["kernel/core_pattern", "kernel/modprobe", "vm/overcommit_memory", "fs/suid_dumpable"].filter(
  (name) => existsSync(`/proc/sys/${name}`),
);
const setting = (name: string): string => readFileSync(`/proc/sys/${name}`, "utf8");

/** Writes to a file what it says already, so that a success does no harm. */
const rewrite = (file: string): string => `x=$(cat ${file} 2>/dev/null) && echo "$x" >${file} && echo REACHED`;
const mounted = (type: string, options = ""): string =>
  `mkdir -p /tmp/m && mount -t ${type} ${options} none /tmp/m 2>/dev/null`;
const unmount = "umount /tmp/m 2>/dev/null";

const rows: Row[] = [
  {
    what: "write a setting of the kernel below /proc/sys",
    script: untouched.map((name) => rewrite(`/proc/sys/${name}`)).join("; "),
  },
  {
    what: "write it in a /proc of its own",
    script: `${mounted("proc")} && { ${untouched.map((name) => rewrite(`/tmp/m/sys/${name}`)).join("; ")}; ${unmount}; }`,
  },
  { what: "ask the kernel by sysrq-trigger", script: "echo h >/proc/sysrq-trigger && echo REACHED" },
  {
    what: "write below /sys, also in a /sys of its own",
    script: `${rewrite("/sys/kernel/mm/transparent_hugepage/enabled")}; ${rewrite("/sys/kernel/uevent_helper")}; ${mounted("sysfs")} && { ${rewrite("/tmp/m/kernel/uevent_helper")}; echo 1 >/tmp/m/kernel/profiling && echo REACHED; ${unmount}; }`,
  },
  {
    what: "have the host run a program by a control group's release_agent",
    script: `${mounted("cgroup", "-o memory")} || ${mounted("cgroup", "-o pids")} || ${mounted("cgroup", "-o rdma")}; for f in /tmp/m/release_agent /sys/fs/cgroup/*/release_agent; do [ -e $f ] && echo /tmp/x >$f && echo REACHED; done; ${unmount}`,
  },
  {
    what: "give itself more by its control group (memory, devices)",
    script:
      "for f in /sys/fs/cgroup/devices/devices.allow /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/devices/*/devices.allow; do [ -e $f ] && { echo a >$f; } 2>/dev/null && echo REACHED; done",
  },
  {
    what: "mount debugfs, tracefs, securityfs or bpf",
    script: ["debugfs", "tracefs", "securityfs", "bpf"]
      .map((type) => `${mounted(type)} && echo REACHED && ${unmount}`)
      .join("; "),
  },
  {
    what: "read the host's disk by a node of its own (mknod)",
    script: `mknod /tmp/disk b ${disk.major} ${disk.minor} && head -c 1 /tmp/disk >/dev/null && echo REACHED; mknod /dev/disk b ${disk.major} ${disk.minor} && head -c 1 /dev/disk >/dev/null && echo REACHED`,
  },
  {
    what: "read the host's memory or messages (/dev/mem, /dev/kmsg, /proc/kcore)",
    script:
      "mknod /tmp/mem c 1 1; mknod /tmp/kmsg c 1 11; for f in /tmp/mem /tmp/kmsg /dev/kmsg; do [ -c $f ] && head -c 1 $f >/dev/null && echo REACHED; done; [ -s /proc/kcore ] && head -c 1 /proc/kcore >/dev/null && [ $(head -c 4 /proc/kcore | wc -c) = 4 ] && echo REACHED",
  },
  {
    what: "load a module",
    script: "echo x >/tmp/x.ko; insmod /tmp/x.ko 2>&1 | grep -qi 'invalid module\\|exec format' && echo REACHED",
  },
  {
    what: "see, signal or trace a process of the host",
    script:
      "kill -0 HOST_PID && echo REACHED; [ $(readlink /proc/1/root) = / ] && [ -e /proc/HOST_PID/mem ] && grep -q gantry /proc/HOST_PID/cmdline && echo REACHED",
  },
  {
    what: "enter the namespaces of the host",
    script: "nsenter -t 1 -m -- true; chroot /proc/1/root ls /work && echo REACHED",
  },
  { what: "set the host's clock", script: "date -s '2001-01-01' >/dev/null; [ $(date +%Y) = 2001 ] && echo REACHED" },
  {
    what: "read keys of the host's users (keyring)",
    script: "grep -v '^ *$' /proc/keys | grep -q 'gantry-key' && echo REACHED",
  },
  {
    what: "keep itself from being killed when memory is short",
    script: "echo -900 >/proc/self/oom_score_adj && echo REACHED",
  },
  {
    what: "make devices or settings of the host's network",
    script: "[ \"$(ls -l /proc/1/ns/net | sed 's/.*-> //')\" = 'HOST_NET' ] && echo REACHED",
  },
  {
    what: "send raw packets to its bridge",
    script:
      "arping -c 1 -w 2 -I eth0 $(ip route | sed -n 's/^default via \\([0-9.]*\\).*/\\1/p') | grep -qi 'reply\\|unicast' && echo REACHED",
  },
  {
    what: "change the addresses of its own card",
    script: "ip address add 192.0.2.77/32 dev eth0 && ip address del 192.0.2.77/32 dev eth0 && echo REACHED",
  },
  { what: "read the messages of the kernel (dmesg)", script: "dmesg 2>/dev/null | grep -q . && echo REACHED" },
];

let world: SystemWorld;
let send: Send;
let sid: string;
before(async () => {
  world = await startSystemWorld();
  send = senderTo(world.station.url);
  const { client } = world.station;
  await client.send("POST", "/users", { username: "olga", password: userPassword, role: "operator" });
  ({ sid } = await send("POST", "/login", { body: { username: "olga", password: userPassword } }));
  assert.ok(sid);
  const made = engines.map(async (type) => {
    const answer = await send("POST", "/background/create", { sid, body: { ...images[type], name: nameOf(type) } });
    assert.equal(answer.status, 200, answer.text);
    assert.equal((await client.ended(answer.json.id)).error, undefined);
  });
  await Promise.all(made);
});
after(async () => {
  await removeContainers("insider-");
  await world.close();
});

function nameOf(type: EngineName): string {
  return `insider-${type}`;
}

async function inside(type: EngineName, script: string): Promise<string> {
  const body = { command: ["/bin/sh", "-c", script], timeout: 20 };
  const { status, json, text } = await send("POST", `/container/${type}/${nameOf(type)}/exec`, { sid, body });
  assert.equal(status, 200, text);
  return `${json.stdout}\n${json.stderr}`;
}

for (const { what, script } of rows) {
  test(`root inside a container of an operator: ${what}`, async () => {
    const said = documented().get(what);
    assert.ok(said, `SECURITY.md has no row: ${what}`);
    const before = untouched.map(setting);
    for (const type of engines) {
      const filled = script
        .replaceAll("HOST_PID", String(world.station.pid()))
        .replaceAll("HOST_NET", readlinkSync("/proc/self/ns/net"));
      const output = await inside(type, filled);
      assert.equal(output.includes("REACHED") ? "yes" : "no", said[type], `${type}: ${output}`);
    }
    assert.deepEqual(untouched.map(setting), before);
  });
}

test("the same attempts reach the host from a privileged container, which only an admin can make", async () => {
  const { client } = world.station;
  const body = { ...images.lxc, name: "insider-privileged", privileged: true };
  const refused = await send("POST", "/background/create", { sid, body });
  assert.deepEqual([refused.status, refused.json.error.field], [403, "privileged"]);
  const task = await client.add("create", body);
  assert.equal((await client.ended(task.id)).error, undefined);
  for (const what of ["write it in a /proc of its own", "mount debugfs, tracefs, securityfs or bpf"]) {
    const { script } = rows.find((row) => row.what === what) as Row;
    const command = ["/bin/sh", "-c", script];
    const { stdout } = await client.ok<{ stdout: string }>("POST", `/container/lxc/${body.name}/exec`, { command });
    assert.match(stdout, /REACHED/, `${what}: else the table proves nothing`);
  }
});

test("an operator runs nothing in his LXC container that an earlier version has made privileged", async () => {
  const name = "insider-earlier";
  const { json } = await send("POST", "/background/create", { sid, body: { ...images.lxc, name } });
  assert.equal((await world.station.client.ended(json.id)).error, undefined);
  assert.equal((await send("PUT", `/container/lxc/${name}/stop?timeout=0`, { sid })).status, 200);
  const file = join(world.lxc.path, name, "config");
  const lines = readFileSync(file, "utf8").split("\n");
  writeFileSync(file, lines.filter((line) => !/^lxc\.(?:idmap|rootfs\.options)/.test(line)).join("\n"));
  const at = (method: string, verb: string, body?: object) =>
    send(method, `/container/lxc/${name}${verb}`, { sid, ...(body && { body }) });
  const refused = async (answer: ReturnType<Send>) => {
    const { status, json } = await answer;
    assert.deepEqual([status, json.error?.field], [403, "privileged"], JSON.stringify(json));
  };
  await refused(at("PUT", "/start"));
  await refused(at("PUT", "/autostart/on"));
  await world.startLxc(name);
  const isShown = async () => (await at("GET", "")).json.privileged === true;
  assert.ok(await until(isShown, 30_000), "the station sees what was changed behind its back");
  assert.equal((await at("GET", "/inspect")).json.HostConfig.Privileged, true);
  await refused(at("PUT", "/restart"));
  await refused(at("POST", "/exec", { command: ["id"] }));
  assert.equal((await at("POST", "/pause")).status, 200);
  await refused(at("POST", "/unpause"));
  const asAdmin = await world.station.client.send("POST", `/container/lxc/${name}/exec`, { command: ["id"] });
  assert.equal(asAdmin.status, 409, "an admin may, and is told that it is paused");
  assert.equal((await at("DELETE", "?force=true")).status, 200);
});

test("root of an operator's LXC or LXD container is nobody on the host", async () => {
  for (const type of ["lxc", "lxd"] as const)
    assert.ok(statSync(`/proc/${await world.pid(type, nameOf(type))}`).uid >= 100_000, type);
});

test("SECURITY.md has no row that nobody tries", () => {
  assert.deepEqual(
    [...documented().keys()],
    rows.map(({ what }) => what),
  );
});

/** The table of SECURITY.md: "yes" or "no", which a note may follow. */
function documented(): Map<string, Record<EngineName, string>> {
  const lines = readFileSync(new URL("../../SECURITY.md", import.meta.url), "utf8").split("\n");
  const cells = lines.map((line) => line.split("|").map((cell) => cell.trim()));
  const found = cells.filter(([, , docker = ""]) => /^(?:yes|no)\b/.test(docker));
  const word = (cell = ""): string => cell.split(/\W/)[0] ?? "";
  return new Map(
    found.map(([, what = "", docker, lxc, lxd]) => [what, { docker: word(docker), lxc: word(lxc), lxd: word(lxd) }]),
  );
}
