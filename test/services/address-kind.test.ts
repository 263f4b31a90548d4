import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { createOutbound } from "../../src/host/outbound.ts";
import { registryUrl } from "../../src/services/planning/image-reference.ts";
import { addressKind, type AddressKind } from "../../src/util/addresses/address-kind.ts";

test("every address has a kind, in whatever form it carries another one", () => {
  const kinds: Record<AddressKind, string[]> = {
    never: [
      "0.0.0.0",
      "0.1.2.3",
      "::",
      "255.255.255.255",
      "224.0.0.1",
      "ff02::1",
      "169.254.169.254",
      "169.254.0.1",
      "fe80::1",
      "fe80::1%eth0",
      "febf::1",
      "fd00:ec2::254",
      "fd00:0ec2:0::0254",
      "100.100.100.200",
      "::ffff:169.254.169.254",
      "64:ff9b::a9fe:a9fe",
      "2002:a9fe:a9fe::1",
      "::ffff:0.0.0.0",
      "168.63.129.16",
      "example.com",
      "",
      "1.2.3",
    ],
    loopback: [
      "127.0.0.1",
      "127.255.255.254",
      "::1",
      "::ffff:127.0.0.1",
      "::ffff:7f00:1",
      "64:ff9b::7f00:1",
      "::7f00:1",
    ],
    private: [
      "10.0.0.1",
      "172.16.0.1",
      "192.168.1.1",
      "100.64.0.1",
      "fd00::1",
      "fec0::1",
      "::ffff:10.0.0.1",
      "198.18.0.1",
    ],
    public: ["1.1.1.1", "2600::1", "::ffff:8.8.8.8", "172.32.0.1"],
  };
  for (const [kind, addresses] of Object.entries(kinds))
    for (const address of addresses) assert.equal(addressKind(address), kind, address);
});

test("odd spellings of an address in a URL are read once, as what they are", () => {
  for (const host of ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "127.0.0.1.", "%31%32%37.0.0.1", "127。0。0。1"])
    assert.equal(registryUrl(`http://${host}:5000`), "http://127.0.0.1:5000", host);
  assert.equal(registryUrl("http://[::ffff:127.0.0.1]:5000"), "http://[::ffff:7f00:1]:5000");
  assert.equal(registryUrl("http://[0:0:0:0:0:0:0:1]"), "http://[::1]");
});

test("the station's and the engines' ports are refused on every address of this host, and on no other one", () => {
  const outbound = createOutbound(() => [8080]);
  const own = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
  for (const address of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", ...own]) {
    if (addressKind(address) === "never") continue;
    for (const port of [8080, 2375, 2376, 8443])
      assert.match(outbound.refusal(address, port) ?? "", /port \d+ of this host/);
    assert.equal(outbound.refusal(address, 5000), undefined, address);
    assert.equal(outbound.isInside(address), true);
  }
  assert.equal(outbound.refusal("192.0.2.77", 8080), undefined);
  assert.match(outbound.refusal("169.254.169.254", 80) ?? "", /link-local/);
});
