import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { CreateRequest } from "../../src/api/create.ts";
import { hasCode } from "../../src/errors.ts";
import { planNetwork } from "../../src/services/planning/network-plan.ts";
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

test("a network's name, with an address of its own or without", () => {
  assert.deepEqual(plan({ mode: "lan-net" }), { mode: "named", name: "lan-net", address: { by: "dhcp" } });
  assert.deepEqual(plan({ mode: bridge, bridge: { mode: "static", ip: "192.168.1.20" } }), {
    mode: "named",
    name: bridge,
    address: { by: "static", address: "192.168.1.20/24" },
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
    [{ mode: "none" }, "network.mode", /must not be none/],
    [{ mode: "default" }, "network.mode", /must not be default/],
    [{ mode: "0123456789ab" }, "network.mode", /looks like an id/],
    [{ mode: "lan-net", interface: card }, "network.interface", /mode bridge only/],
    [{ mode: "lan-net", join: true }, "network.join", /mode bridge only/],
    [{ mode: "lan-net", bridge: { interface: { name: card } } }, "network.bridge.interface", /mode bridge only/],
    ...["0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "255.255.255.255", "169.254.1.1"].flatMap(
      (ip): [Network, string, RegExp][] => [
        [{ ...on, bridge: { ...fixed, ip } }, "network.bridge.ip", /that a host can have/],
        [{ ...on, bridge: { ...fixed, gateway: ip } }, "network.bridge.gateway", /that a host can have/],
      ],
    ),
    [{ ...on, bridge: { ...fixed, ip: "192.168.1.0" } }, "network.bridge.ip", /own or broadcast address/],
    [{ ...on, bridge: { ...fixed, ip: "192.168.1.255" } }, "network.bridge.ip", /own or broadcast address/],
    [
      { ...on, bridge: { ...fixed, ip: "192.168.1.127", netmask: "255.255.255.128" } },
      "network.bridge.ip",
      /own or broadcast address/,
    ],
    [{ ...on, bridge: { ...fixed, gateway: "192.168.1.255" } }, "network.bridge.gateway", /own or broadcast address/],
    [{ ...on, bridge: { ...fixed, gateway: "192.168.1.20" } }, "network.bridge.gateway", /container's own/],
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
