import assert from "node:assert/strict";
import { test } from "node:test";
import { kernelRouteAddress, netmaskOf, plainIpv4, prefixLengthOf } from "../../src/util/addresses/ipv4.ts";
import { sourceNetwork } from "../../src/util/addresses/source-network.ts";
import {
  broadcastOf,
  freeAddress,
  isEdge,
  isInside,
  isOverlapping,
  isUnicast,
} from "../../src/util/addresses/subnet.ts";

const subnet = (text: string) => {
  const [address = "", length] = text.split("/");
  return { address, length: Number(length) };
};

test("a netmask and the length of its prefix are converted, and what is no netmask is told", () => {
  for (let length = 0; length <= 32; length++) assert.equal(prefixLengthOf(netmaskOf(length)), length);
  assert.equal(netmaskOf(20), "255.255.240.0");
  assert.equal(prefixLengthOf("255.255.255.000"), 24);
  for (const text of ["255.0.255.0", "255.255.255.1", "1.2.3.4", "255.255.255", "", "x"])
    assert.equal(prefixLengthOf(text), undefined, text);
});

test("leading zeros do not make an address octal", () => {
  assert.equal(plainIpv4("010.000.003.08"), "10.0.3.8");
  assert.equal(isInside(subnet("010.0.3.1/24"), "10.0.3.9"), true);
});

test("an address of the kernel's table of routes is read in the host's byte order", () => {
  assert.equal(kernelRouteAddress("0103000A"), "10.0.3.1");
  assert.equal(kernelRouteAddress("00000000"), "0.0.0.0");
});

test("a network knows its addresses, its own one and its broadcast address", () => {
  const network = subnet("172.16.9.7/22");
  for (const [address, inside, edge] of [
    ["172.16.8.0", true, true],
    ["172.16.11.255", true, true],
    ["172.16.8.255", true, false],
    ["172.16.12.1", false, false],
  ] as const)
    assert.deepEqual([isInside(network, address), isEdge(network, address)], [inside, edge], address);
  assert.equal(broadcastOf(network), "172.16.11.255");
  for (const length of [31, 32]) {
    assert.equal(isEdge({ address: "10.0.0.0", length }, "10.0.0.0"), false);
    assert.equal(broadcastOf({ address: "10.0.0.0", length }), undefined);
  }
  assert.equal(isInside(subnet("10.0.0.1/0"), "200.1.1.1"), true);
  assert.equal(isOverlapping(subnet("10.0.0.0/8"), subnet("10.9.0.0/24")), true);
  assert.equal(isOverlapping(subnet("10.9.0.0/24"), subnet("10.0.0.0/8")), true);
  assert.equal(isOverlapping(subnet("10.9.0.0/24"), subnet("10.9.1.0/24")), false);
});

test("an address that no host can have is not given", () => {
  for (const address of ["0.0.0.0", "0.1.2.3", "127.0.0.1", "169.254.1.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"])
    assert.equal(isUnicast(address), false, address);
  for (const address of ["1.1.1.1", "10.0.0.1", "169.253.1.1", "192.0.2.1", "198.18.0.1", "223.255.255.1"])
    assert.equal(isUnicast(address), true, address);
});

test("a free address is one of the network that nobody has, and the same for the same seed", () => {
  const network = subnet("10.0.3.1/30");
  assert.equal(freeAddress(network, [], "a"), "10.0.3.2");
  assert.equal(freeAddress(network, ["10.0.3.2"], "a"), undefined);
  const wide = subnet("10.0.3.1/24");
  const first = freeAddress(wide, [], "seed") ?? "";
  assert.equal(freeAddress(wide, [], "seed"), first);
  assert.ok(isInside(wide, first) && !isEdge(wide, first));
  assert.notEqual(freeAddress(wide, [first], "seed"), first);
});

test("whoever asks is known by the /24 or /64 of the address", () => {
  assert.equal(sourceNetwork("192.0.2.77"), "192.0.2.0/24");
  assert.equal(sourceNetwork("::ffff:192.0.2.77"), "192.0.2.0/24");
  assert.equal(sourceNetwork("::ffff:c000:24d"), "192.0.2.0/24");
  assert.equal(sourceNetwork("2001:db8::1:2:3:4"), "2001:db8:0:0::/64");
  assert.equal(sourceNetwork("fe80::1%eth0"), "fe80:0:0:0::/64");
  assert.equal(sourceNetwork("unknown"), "unknown");
});
