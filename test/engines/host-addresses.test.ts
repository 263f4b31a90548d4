import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { findHostHolders } from "../../src/engines/network/host-addresses.ts";
import { testEngines } from "../support/engines.ts";
import { run } from "./commands.ts";

/** Of a container that is to be on this bridge. */
const bridge = "given0";
const world = "given-lan";

const ip = (...args: string[]): Promise<string> => run("ip", ...args);

before(async () => {
  for (const [name, address] of [
    [bridge, "10.77.0.1/24"],
    ["given1", "10.78.0.1/24"],
  ] as const) {
    await ip("link", "add", name, "type", "bridge");
    await ip("address", "add", address, "dev", name);
    await ip("link", "set", name, "up");
  }
  await ip("netns", "add", world);
  await ip("link", "add", "given2", "type", "veth", "peer", "name", "lan0", "netns", world);
  await ip("address", "add", "10.79.0.1/24", "dev", "given2");
  await ip("link", "set", "given2", "up");
  await ip("-n", world, "address", "add", "10.79.0.2/24", "dev", "lan0");
  await ip("-n", world, "link", "set", "lan0", "up");
  await ip("route", "add", "10.80.0.5", "dev", "given1");
  await ip("route", "add", "10.81.0.0/24", "via", "10.79.0.77");
  const resolver = join(testEngines().folder, "far-resolver");
  writeFileSync(resolver, "search example\nnameserver 203.0.113.53\n");
  await run("mount", "--bind", resolver, "/etc/resolv.conf");
});

after(async () => {
  await run("umount", "/etc/resolv.conf");
  for (const name of [bridge, "given1", "given2"]) await ip("link", "del", name);
  await ip("netns", "del", world);
});

const cases: [what: string, address: string, used: boolean][] = [
  ["an address of the bridge's network", "10.77.0.9", false],
  ["this host's own address", "10.79.0.1", true],
  ["an address of another bridge's network, had by nobody", "10.78.0.9", true],
  ["an address that has a route to another bridge", "10.80.0.5", true],
  ["an address of a card's network that somebody answers for", "10.79.0.2", true],
  ["one that nobody answers for", "10.79.0.3", false],
  ["an address behind another host", "10.81.0.9", false],
  ["an address that only the way out leads to", "10.200.0.9", false],
  ["a name server, wherever it is,", "203.0.113.53", true],
  ["the way to another network, silent as it is,", "10.79.0.77", true],
];

for (const [what, address, used] of cases)
  test(`${what} ${used ? "cannot" : "can"} be given`, async () => {
    const taken = await findHostHolders([address, "10.200.0.1"], bridge, undefined);
    assert.deepEqual([taken.has(address), taken.has("10.200.0.1")], [used, false]);
  });
