import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { CreateRequest } from "../../src/api/create.ts";
import { hasCode } from "../../src/errors.ts";
import { planNetwork } from "../../src/services/network-plan.ts";
import { run } from "../engines/commands.ts";

type Network = NonNullable<CreateRequest["network"]>;

// Cards of the tests' own network namespace.
const bridge = "gtplan-br";
const card = "gtplan-card";
before(async () => {
  await run("ip", "link", "add", bridge, "type", "bridge");
  await run("ip", "link", "add", card, "type", "veth", "peer", "name", "gtplan-far");
});
after(async () => {
  await run("ip", "link", "delete", bridge);
  await run("ip", "link", "delete", card);
});

const plan = (network: Network) => planNetwork(network, []);

test("nat and host", () => {
  for (const mode of [undefined, "", "nat"] as const)
    assert.deepEqual(plan(mode === undefined ? {} : { mode }), { mode: "nat" });
  assert.deepEqual(plan({ mode: "host", hostname: "", mac_addr: "" }), { mode: "host" });
});

test("an interface gets a link of the container's own, a bridge is joined, unless join says otherwise", () => {
  const dhcp = { by: "dhcp" };
  assert.deepEqual(plan({ mode: "bridge", interface: card }), {
    mode: "bridge",
    interface: card,
    join: false,
    address: dhcp,
  });
  assert.deepEqual(plan({ mode: "bridge", interface: bridge }), {
    mode: "bridge",
    interface: bridge,
    join: true,
    address: dhcp,
  });
  assert.deepEqual(plan({ mode: "bridge", interface: bridge, join: false }), {
    mode: "bridge",
    interface: bridge,
    join: false,
    address: dhcp,
  });
  const page = plan({ mode: "bridge", bridge: { mode: "dhcp", interface: { bridge, name: card } } });
  assert.deepEqual(page, { mode: "bridge", interface: bridge, join: true, address: dhcp });
  const named = plan({ mode: "bridge", bridge: { interface: { name: card } } });
  assert.deepEqual(named, { mode: "bridge", interface: card, join: false, address: dhcp });
});

test("a fixed address with its prefix", () => {
  const address = (fixed: object) => {
    const planned = plan({ mode: "bridge", interface: card, bridge: { mode: "static", ip: "192.168.1.20", ...fixed } });
    assert.equal(planned.mode, "bridge");
    return "address" in planned ? planned.address : undefined;
  };
  assert.deepEqual(address({}), { by: "static", address: "192.168.1.20/24" });
  assert.deepEqual(address({ netmask: "255.255.0.0", gateway: "192.168.0.1" }), {
    by: "static",
    address: "192.168.1.20/16",
    gateway: "192.168.0.1",
  });
  for (const [netmask, prefix] of [
    ["255.255.255.255", 32],
    ["128.0.0.0", 1],
    ["255.255.254.0", 23],
  ] as const) {
    assert.deepEqual(address({ netmask }), { by: "static", address: `192.168.1.20/${prefix}` });
  }
  // For ip a leading zero means octal.
  assert.deepEqual(address({ ip: "192.168.010.020", gateway: "192.168.001.010" }), {
    by: "static",
    address: "192.168.10.20/24",
    gateway: "192.168.1.10",
  });
});

test("what does not go together is refused by name", () => {
  const on = { mode: "bridge", interface: card } as const;
  const fixed = { mode: "static", ip: "192.168.1.20" } as const;
  const cases: [Network, string, RegExp][] = [
    [{ interface: card }, "network.interface", /mode bridge only/],
    [{ mode: "nat", join: true }, "network.join", /mode bridge only/],
    [{ mode: "host", bridge: {} }, "network.bridge", /mode bridge only/],
    [{ mode: "host", hostname: "x" }, "network.hostname", /mode host/],
    [{ mode: "host", mac_addr: "02:42:ac:11:00:02" }, "network.mac_addr", /mode host/],
    [{ mode: "bridge" }, "network.interface", /is missing/],
    [{ mode: "bridge", bridge: { interface: {} } }, "network.bridge.interface", /is missing/],
    [{ mode: "bridge", interface: "nosuch0" }, "network.interface", /no network interface of this host: nosuch0/],
    [{ mode: "bridge", bridge: { interface: { name: "nosuch0" } } }, "network.bridge.interface", /nosuch0/],
    [{ ...on, join: true }, "network.join", /needs a bridge, and gtplan-card is none/],
    [{ ...on, bridge: { ip: "192.168.1.20" } }, "network.bridge.ip", /static only/],
    [{ ...on, bridge: { mode: "dhcp", gateway: "192.168.1.1" } }, "network.bridge.gateway", /static only/],
    [{ ...on, bridge: { mode: "static" } }, "network.bridge.ip", /is missing/],
    [{ ...on, bridge: { ...fixed, netmask: "255.0.255.0" } }, "network.bridge.netmask", /is no netmask/],
    [{ ...on, bridge: { ...fixed, netmask: "0.0.0.0" } }, "network.bridge.netmask", /is no netmask/],
  ];
  for (const [network, field, reason] of cases) assertInvalid(() => plan(network), field, reason);
  const ports = [{ host: 80, container: 80, protocol: "tcp" as const }];
  for (const network of [{ mode: "host" } as const, on])
    assertInvalid(() => planNetwork(network, ports), "network.port", /reachable as they are/);
});

function assertInvalid(act: () => unknown, field: string, reason: RegExp): void {
  assert.throws(act, (error) => {
    assert.ok(hasCode(error, "invalid"), String(error));
    assert.equal(error.details?.["field"], field);
    assert.match(error.message, reason);
    return true;
  });
}
