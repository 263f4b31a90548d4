import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { run } from "../engines/commands.ts";
import { startLan, type LanWorld } from "../engines/lan-world.ts";
import { dockerApi, removeContainers } from "../support/docker-cli.ts";
import { startSystemWorld, type SystemWorld } from "../support/system-station.ts";

/** Networks by their names, and addresses of cards that somebody has already, in all three engines. */
const images = {
  docker: { type: "docker", repository: "dockerhub", image: "busybox", tag: "latest" },
  lxc: { type: "lxc", repository: "qnap", image: "ubuntu-bionic", tag: "latest" },
  lxd: { type: "lxd", repository: "lxd", image: "ubuntu", tag: "bionic" },
} as const;
type Type = keyof typeof images;

let world: SystemWorld;
let lan: LanWorld;
let operator = "";
/** A bridge of this host with an address, and nothing behind it. */
const inner = "gtcard0";
const network = "gtcardnet";

before(async () => {
  lan = await startLan();
  world = await startSystemWorld();
  await run("ip", "link", "add", inner, "type", "bridge");
  await run("ip", "address", "add", "10.87.0.1/24", "dev", inner);
  await run("ip", "link", "set", inner, "up");
  await lan.bridged(true);
  await run("ip", "address", "add", "192.168.77.9/24", "dev", lan.bridge);
  await dockerApi("POST", "/networks/create", { Name: network });
  const user = { username: "op", password: "correct battery staple" };
  await world.station.client.ok("POST", "/users", { ...user, role: "operator" });
  const { headers } = await world.station.client.send("POST", "/login", user, { cookie: "" });
  operator = headers.get("set-cookie")?.split(";")[0] ?? "";
});
after(async () => {
  await world.close();
  await removeContainers("card-");
  await dockerApi("DELETE", `/networks/${network}`);
  await run("ip", "link", "delete", inner);
  await lan.close();
});

const body = (type: Type, name: string, network: object) => ({ ...images[type], name: `card-${name}`, network });

async function make(type: Type, name: string, network: object): Promise<void> {
  const { id } = await world.station.client.add("create", body(type, name, network));
  assert.equal((await world.station.client.ended(id)).error, undefined, name);
}

async function refused(type: Type, network: object, cookie?: string): Promise<string> {
  const headers = cookie === undefined ? {} : { cookie };
  const answer = await world.station.client.send("POST", "/background/create", body(type, "refused", network), headers);
  return `${answer.status} ${(answer.body as { error?: { message: string } }).error?.message ?? JSON.stringify(answer.body)}`;
}

const fixed = (ip: string, more: object = {}) => ({ mode: "static", ip, ...more });
const onLan = (ip: string) => ({ mode: "bridge", interface: lan.bridge, bridge: fixed(ip) });

test("network.mode names a network of Docker: ports, the MAC address and the settings are as in nat", async () => {
  await make("docker", "named", { mode: network, mac_addr: "02:42:AC:11:88:01", port: [[18_431, 80, "tcp"]] });
  const inspect = await dockerApi<any>("GET", "/containers/card-named/json");
  assert.deepEqual(Object.keys(inspect.NetworkSettings.Networks), [network]);
  assert.equal(inspect.NetworkSettings.Networks[network].MacAddress, "02:42:ac:11:88:01");
  const settings = await world.station.client.ok<any>("GET", "/container/docker/card-named/all");
  assert.deepEqual(settings.network, {
    hostname: settings.network.hostname,
    mode: network,
    port: [[18_431, 80, "tcp"]],
  });
});

test("network.mode names a bridge of this host, which every engine joins", async () => {
  for (const [index, type] of (["docker", "lxc", "lxd"] as const).entries()) {
    const before = (await run("ip", "link", "show", "master", inner)).length;
    await make(type, `bridge-${type}`, { mode: inner, bridge: fixed(`10.87.0.1${index}`) });
    assert.ok((await run("ip", "link", "show", "master", inner)).length > before, type);
  }
});

test("a name that is two networks, or none, is refused by its name; an operator hears of neither", async () => {
  const { Id } = await dockerApi<{ Id: string }>("POST", "/networks/create", { Name: inner });
  assert.match(
    await refused("docker", { mode: inner }),
    /^409 network\.mode: a bridge of this host and a network of Docker/,
  );
  await dockerApi("DELETE", `/networks/${Id}`);
  for (const mode of ["none", "default", "container:card-named", "gt-nothing"])
    assert.match(await refused("docker", { mode }), /^400 network\.mode must /, mode);
  assert.match(await refused("lxc", { mode: network }), /^400 network\.mode must .* no bridge of this host is named/);
  assert.match(await refused("docker", { mode: inner, port: [[18_432, 80, "tcp"]] }), /^400 network\.port /);
  assert.match(await refused("docker", { mode: network, bridge: fixed("10.1.1.2") }), /^400 network\.bridge /);
  for (const mode of [network, inner, "gt-nothing"])
    assert.match(await refused("docker", { mode }, operator), /^403 op \(operator\) may not set network\.mode/, mode);
});

test("a MAC address of a container of any engine or of this host is refused, naming who has it", async () => {
  const mac = "02:42:ac:11:88:02";
  await make("lxc", "mac", { mac_addr: mac });
  const upper = mac.toUpperCase();
  for (const type of ["docker", "lxc", "lxd"] as const) {
    assert.match(
      await refused(type, { mac_addr: upper }),
      /^409 The MAC address .* is taken by lxc container card-mac\.$/,
    );
  }
  assert.match(await refused("docker", { mac_addr: mac }, operator), /^409 .* is taken by another container\.$/);
  const { NetworkSettings } = await dockerApi<any>("GET", "/containers/card-named/json");
  const dynamic = NetworkSettings.Networks[network].MacAddress as string;
  assert.match(await refused("lxd", { mac_addr: dynamic }), /^409 .* by docker container card-named\.$/);
  const address = readFileSync(`/sys/class/net/${inner}/address`, "utf8").trim();
  assert.match(await refused("docker", { mac_addr: address }), new RegExp(`^409 .* by this host's ${inner}\\.$`));
  for (const none of ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01"])
    assert.match(await refused("docker", { mac_addr: none }), /^400 network\.mac_addr must not be /);
  await world.station.client.ok("DELETE", "/container/lxc/card-mac?force=true");
  await make("docker", "mac-again", { mac_addr: mac });
});

test("of two creates with one MAC address that come at once, one is made", async () => {
  const { client } = world.station;
  const bodies = ["one", "two"].map((name) => body("docker", `race-${name}`, { mac_addr: "02:42:ac:11:88:03" }));
  const tasks = await Promise.all(bodies.map((request) => client.add("create", request)));
  const errors = (await Promise.all(tasks.map(({ id }) => client.ended(id)))).map(({ error }) => error ?? "");
  assert.match(
    errors.toSorted().join("|"),
    /^\|The MAC address 02:42:ac:11:88:03 is taken by docker container card-race-/,
  );
});

test("a fixed address that somebody has is refused, naming who; one that cannot be a host's, by its field", async () => {
  await make("lxc", "fixed", onLan("192.168.77.60"));
  const cases: [network: object, answer: RegExp][] = [
    [onLan("192.168.77.60"), /^409 The address 192\.168\.77\.60 is taken by lxc container card-fixed\.$/],
    [onLan("192.168.77.9"), new RegExp(`^409 .* is taken by this host's ${lan.bridge}\\.$`)],
    [onLan("192.168.77.1"), new RegExp(`^409 .* is taken by somebody on the network of ${lan.bridge}\\.$`)],
    [onLan("192.168.77.0"), /^400 network\.bridge\.ip must not be its network's own or broadcast address/],
    [onLan("192.168.77.255"), /^400 network\.bridge\.ip must not be its network's own or broadcast address/],
    [onLan("127.0.0.1"), /^400 network\.bridge\.ip must be an address that a host can have/],
    [onLan("0.0.0.0"), /^400 network\.bridge\.ip must be an address that a host can have/],
    [onLan("224.0.0.5"), /^400 network\.bridge\.ip must be an address that a host can have/],
    [{ mode: inner, bridge: fixed("10.87.0.12") }, /^409 .* is taken by lxd container card-bridge-lxd\.$/],
    [{ mode: inner, bridge: fixed("10.87.0.10") }, /^409 .* is taken by docker container card-bridge-docker\.$/],
    [
      { mode: inner, bridge: fixed("10.88.0.10") },
      /^400 network\.bridge\.ip must be in the network of gtcard0, 10\.87\.0\.1\/24/,
    ],
    [
      { mode: inner, bridge: fixed("10.87.0.255", { netmask: "255.255.0.0" }) },
      /^400 network\.bridge\.ip is the own or broadcast/,
    ],
  ];
  for (const type of ["docker", "lxc", "lxd"] as const)
    for (const [network, answer] of cases) assert.match(await refused(type, network), answer, JSON.stringify(network));
});
