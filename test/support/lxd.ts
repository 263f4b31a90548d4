import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { raiseInotifyLimit } from "../../src/setup/inotify-limit.ts";
import { endDnsmasq } from "../../src/setup/lxd/daemons.ts";
import { describeMissingNetworks } from "../../src/setup/lxd/networks.ts";
import { run } from "../engines/commands.ts";
import { daemonPid, endDaemon, lastLines, startDaemon, until } from "./daemon.ts";
import { testEngines } from "./engines.ts";

/** Milliseconds. LXD tries again after a minute to set up what it could not at its start. */
const networkPatience = 90_000;

/** An LXD of this run's own, in its private namespaces; only tests that need one start it. */
export interface TestLxd {
  /** Path of its unix socket. */
  socket: string;
  bridge: string;
}

export async function startLxd(): Promise<TestLxd> {
  const lxd = testLxd();
  if (daemonPid("lxd") !== undefined) return lxd;
  // Containers have user IDs of their own, and must pass through.
  chmodSync(testEngines().folder, 0o711);
  await allowUserIds();
  confineContainers();
  await runLxd();
  // A test that left LXD killed left it as it was.
  if ((await ask("GET", `/1.0/networks/${lxd.bridge}`)) !== 200) await configure(lxd);
  return lxd;
}

/** Without warning; its containers stay. */
export async function killLxd(): Promise<void> {
  await endDaemon("lxd", "SIGKILL");
}

/** Starts LXD, and waits until it answers and its bridge is up. Throws LXD's reason when it could not set the bridge up. */
export async function runLxd(): Promise<void> {
  raiseInotifyLimit(() => undefined);
  // Else LXD kills it, and the new one may find the port taken yet.
  await endDnsmasq(lxdFolder());
  await runLxdAtOnce();
  let missing: string[] = [];
  const isUp = async () => (missing = await describeMissingNetworks(testLxd().socket)).length === 0;
  if (!(await until(isUp, networkPatience))) throw new Error(`${missing.join(" ")}\n${lastLines("lxd")}`);
}

/** Starts LXD, and waits until it answers. Its bridge may be missing. */
export async function runLxdAtOnce(): Promise<void> {
  const folder = lxdFolder();
  mkdirSync(folder, { recursive: true });
  // One that no pid file knows any more would keep the new one from its folder, and answer in its place.
  const unknown = await serverPid();
  if (unknown !== undefined) process.kill(unknown, "SIGKILL");
  const ready = async (): Promise<boolean> => {
    const pid = await serverPid();
    return pid !== undefined && pid === daemonPid("lxd");
  };
  await startDaemon("lxd", ["lxd", "--group", "root"], { env: { LXD_DIR: folder }, ready });
}

function testLxd(): TestLxd {
  return { socket: join(lxdFolder(), "unix.socket"), bridge: "lxdbr0" };
}

export function lxdFolder(): string {
  return join(testEngines().folder, "lxd");
}

/** What `lxd init` does: a pool, a bridge, and the profile that has both. */
async function configure({ bridge }: TestLxd): Promise<void> {
  await put("POST", "/1.0/storage-pools", { name: "default", driver: "dir" });
  // The others are for tests to give.
  const dhcp = { "ipv4.dhcp.ranges": "10.99.0.100-10.99.0.179" };
  const config = { "ipv4.address": "10.99.0.1/24", "ipv4.nat": "true", "ipv6.address": "none", ...dhcp };
  await put("POST", "/1.0/networks", { name: bridge, type: "bridge", config });
  const root = { type: "disk", path: "/", pool: "default" };
  const eth0 = { type: "nic", name: "eth0", network: bridge };
  await put("PUT", "/1.0/profiles/default", { devices: { root, eth0 } });
}

async function put(method: string, path: string, body: unknown): Promise<void> {
  const status = await ask(method, path, body);
  if (status >= 400) throw new Error(`LXD refuses ${method} ${path} with ${status}`);
}

/** Returns the process that answers at the socket; undefined when none does. */
async function serverPid(): Promise<number | undefined> {
  const answer = await send("GET", "/1.0").catch(() => undefined);
  if (answer?.status !== 200) return undefined;
  return (JSON.parse(answer.body) as { metadata: { environment: { server_pid: number } } }).metadata.environment
    .server_pid;
}

async function ask(method: string, path: string, body?: unknown): Promise<number> {
  return (await send(method, path, body)).status;
}

function send(method: string, path: string, body?: unknown): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: testLxd().socket, method, path, timeout: 20_000 }, (response) => {
      text(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
    });
    sent.once("timeout", () => sent.destroy());
    sent.once("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Containers have user IDs of their own, out of those that these files give to root. */
async function allowUserIds(): Promise<void> {
  for (const name of ["subuid", "subgid"]) {
    const file = `/etc/${name}`;
    if (existsSync(file) && /^root:/m.test(readFileSync(file, "utf8"))) continue;
    const copy = join(testEngines().folder, name);
    if (existsSync(file)) cpSync(file, copy);
    else writeFileSync(file, "");
    appendFileSync(copy, "root:100000:10000001\n");
    await run("mount", "--bind", copy, file);
  }
}

/**
 * LXC puts its control groups beside the one of the first process (which it takes the end "init.scope" for). So that
 * process goes into this run's, and nothing is left of containers when the run is over.
 */
export function confineContainers(): void {
  const { cgroupParent } = testEngines();
  const roots = globSync(["/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/*/cgroup.procs"]).map((file) =>
    join(file, ".."),
  );
  const unified = roots.includes("/sys/fs/cgroup");
  for (const root of unified ? ["/sys/fs/cgroup"] : roots) {
    const parent = join(root, cgroupParent);
    const folder = join(parent, "init.scope");
    mkdirSync(folder, { recursive: true });
    for (const file of unified ? [] : ["cpuset.cpus", "cpuset.mems"]) {
      if (!existsSync(join(root, file))) continue;
      const all = readFileSync(join(root, file));
      writeFileSync(join(parent, file), all);
      writeFileSync(join(folder, file), all);
    }
    writeFileSync(join(folder, "cgroup.procs"), "1");
  }
}
