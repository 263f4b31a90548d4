import assert from "node:assert/strict";
import { test } from "node:test";

import { parseAddresses } from "../../src/engines/network/given-addresses.ts";

const bridge = { address: "10.0.3.1", length: 24 };

test("an address has the bridge's prefix in the bridge's network, and its own elsewhere", () => {
  const given: [text: string, length: number, near: boolean][] = [
    ["10.0.3.78", 24, true],
    ["10.0.3.78/24", 24, true],
    ["10.0.3.78/25", 25, true],
    ["10.0.3.78/32", 32, true],
    ["192.0.2.7", 32, false],
    ["192.0.2.7/24", 24, false],
    ["192.0.2.6/31", 31, false],
    ["10.1.3.78/16", 16, false],
  ];
  for (const [text, length, near] of given) {
    const address = text.split("/")[0];
    assert.deepEqual(parseAddresses([text], bridge), [{ address, length, near }]);
  }
});

test("a prefix that makes no sense is refused", () => {
  const refused = ["10.0.3.78/1", "10.0.3.78/7", "10.0.3.78/8", "10.0.3.78/23", "10.1.3.78/8", "192.0.2.0/24"];
  for (const text of [...refused, "192.0.2.255/24", "10.0.3.64/26", "192.0.2.7/0", "192.0.2.7/33"])
    assert.throws(() => parseAddresses([text], bridge), { code: "invalid", details: { field: "addresses" } }, text);
});
