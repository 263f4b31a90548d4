import assert from "node:assert/strict";
import { test } from "node:test";

import type { Container } from "../../src/engines/engine.ts";
import { tableScript } from "../../src/forwarding/table-script.ts";
import { planRules } from "../../src/forwarding/rule-plan.ts";

const station = "station-a";
const forward = { address: "10.0.3.5", bridge: "lxcbr0" };
const web = { host: 8080, container: 80, protocol: "tcp" } as const;

function container(name: string, changes: Partial<Container> = {}): Container {
  const mark = { station, task: 1 };
  const plain = {
    id: name,
    incarnation: name,
    name,
    state: "running",
    image: "",
    imageId: "",
    pid: 1,
    mounts: [],
  } as const;
  return { ...plain, mark, ports: [web], forward, ...changes };
}

function wanted(...containers: Container[]): { mappings: string[]; bridges: readonly string[]; faults: string[] } {
  const { rules, faults } = planRules(containers, station);
  const mappings = rules.mappings.map(({ protocol, host, address, port }) => `${protocol} ${host} ${address} ${port}`);
  return { mappings, bridges: rules.bridges, faults: [...faults.keys()] };
}

test("ports lead to the addresses of this station's containers, running or not", () => {
  const dns = { host: 53, container: 5353, protocol: "udp" } as const;
  const stopped = {
    state: "stopped",
    pid: 0,
    ports: [dns],
    forward: { address: "10.9.0.2", bridge: "br-x.1" },
  } as const;
  assert.deepEqual(
    wanted(
      container("web"),
      container("dns", stopped),
      container("plain", { ports: [] }),
      container("of-another", { mark: { station: "station-b", task: 1 }, ports: [dns] }),
    ),
    { mappings: ["udp 53 10.9.0.2 5353", "tcp 8080 10.0.3.5 80"], bridges: ["br-x.1", "lxcbr0"], faults: [] },
  );
});

test("if two containers have one port, the older one gets it", () => {
  const copy = container("copy", { mark: { station, task: 2 }, forward: { ...forward, address: "10.0.3.6" } });
  const expected = { mappings: ["tcp 8080 10.0.3.5 80"], bridges: ["lxcbr0"], faults: ["copy"] };
  assert.deepEqual(wanted(copy, container("web")), expected);
  assert.deepEqual(wanted(container("web"), copy), expected);
});

test("an address or name that could change the script's meaning is a fault and makes no rule", () => {
  const { forward: _, ...without } = container("without");
  const bridges = ["", "all", "default", "..", "a/b", 'a"b', "a b", "name-of-16-chars"];
  const broken = [
    without,
    container("no-address", { forward: { ...forward, address: "10.0.3.5 ; drop" } }),
    container("ipv6", { forward: { ...forward, address: "fd00::1" } }),
    container("no-port", { ports: [{ ...web, host: 65536 }] }),
    ...bridges.map((bridge, index) => container(`bridge-${index}`, { forward: { ...forward, bridge } })),
  ];
  const { mappings, faults } = wanted(...broken);
  assert.deepEqual(mappings, []);
  assert.deepEqual(faults.sort(), broken.map(({ name }) => name).sort());
});

test("the script has the whole table", () => {
  const script = tableScript({
    mappings: [
      { protocol: "tcp", host: 8080, address: "10.0.3.5", port: 80 },
      { protocol: "tcp", host: 443, address: "10.0.3.6", port: 8443 },
      { protocol: "udp", host: 53, address: "10.0.3.5", port: 53 },
    ],
    bridges: ["lxdbr0", "lxcbr0"],
  });
  assert.equal(
    script.slice(0, script.indexOf("  chain")),
    `table ip gantry
delete table ip gantry
table ip gantry {
  map tcp_ports {
    type inet_service : ipv4_addr . inet_service
    elements = { 443 : 10.0.3.6 . 8443, 8080 : 10.0.3.5 . 80 }
  }
  map udp_ports {
    type inet_service : ipv4_addr . inet_service
    elements = { 53 : 10.0.3.5 . 53 }
  }
  set bridges {
    type ifname
    elements = { "lxcbr0", "lxdbr0" }
  }
  set same_bridge {
    type ifname . ifname
    elements = { "lxcbr0" . "lxcbr0", "lxdbr0" . "lxdbr0" }
  }
  set same_container {
    type ipv4_addr . ipv4_addr
    elements = { 10.0.3.5 . 10.0.3.5, 10.0.3.6 . 10.0.3.6 }
  }

`,
  );
  assert.equal(tableScript({ mappings: [], bridges: [] }), "table ip gantry\ndelete table ip gantry\n");
});
