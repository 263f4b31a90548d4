import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Container } from "../../src/engines/engine.ts";
import type { LanAddress } from "../../src/engines/container-spec.ts";
import { until } from "../support/patiently.ts";
import { startLan, type LanWorld } from "./lan-world.ts";
import { onNetworkOf, type SystemBench } from "./system-bench.ts";

const dhcp: LanAddress = { by: "dhcp" };
const fixed: LanAddress = { by: "static", address: "192.168.77.20/24", gateway: "192.168.77.1" };

/** Network mode bridge, with a real cable, a router and its DHCP server; of LXC and of LXD. */
export function lanTests({ name, engine, launch, restarted }: SystemBench): void {
  let lan: LanWorld;
  before(async () => {
    lan = await startLan();
  });
  after(() => lan.close());

  for (const join of [false, true]) {
    for (const address of [dhcp, fixed]) {
      test(`${name} ${join ? "joined to a bridge" : "on an interface"}, ${address.by}; and again after a restart`, async () => {
        await lan.bridged(join);
        const network = { mode: "bridge", interface: join ? lan.bridge : lan.cable, join, address } as const;
        const container = await launch({ network, macAddress: "02:42:ac:11:00:77" });
        await engine().attachNetwork(container);
        const first = await reached(container, address, lan);
        const again = await restarted(container);
        await engine().attachNetwork(again);
        assert.equal(await reached(again, address, lan), first);
        await engine().containers.remove(container.id);
      });
    }
  }
}

/** From the LAN: the router reads the container's page. Answers the address. */
async function reached({ pid }: Container, wanted: LanAddress, lan: LanWorld): Promise<string> {
  let address = "";
  await until(async () => {
    const text = await onNetworkOf(pid, "ip", "-4", "-o", "address", "show", "dev", "eth0");
    address = /inet (\S+)/.exec(text)?.[1] ?? "";
    return address !== "";
  });
  if (wanted.by === "static") {
    assert.equal(address, wanted.address);
    const card = await onNetworkOf(pid, "ip", "-4", "-o", "address", "show", "dev", "eth0");
    assert.match(card, /inet 192\.168\.77\.20\/24 brd 192\.168\.77\.255 /);
    assert.match(await onNetworkOf(pid, "ip", "route"), /^default via 192\.168\.77\.1 dev eth0/m);
  } else assert.match(address, /^192\.168\.77\.1[0-4]\d\/24$/);
  assert.match(await onNetworkOf(pid, "ip", "link", "show", "eth0"), /link\/ether 02:42:ac:11:00:77/);
  const page = `http://${address.split("/")[0]}/`;
  await until(async () => (await lan.onRouter("curl", "-sf", "-m", "2", page).catch(() => "")) === "hello");
  return address;
}
