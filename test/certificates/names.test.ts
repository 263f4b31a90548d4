import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDomainNames } from "../../src/certificates/names.ts";
import { hasCode } from "../../src/errors.ts";

test("names and addresses are separated by commas, put in lower case, and listed once", () => {
  assert.deepEqual(parseDomainNames(""), []);
  assert.deepEqual(parseDomainNames("user.myqnapcloud.com"), ["user.myqnapcloud.com"]);
  assert.deepEqual(parseDomainNames("NAS, nas,*.lan.example , 192.0.2.1,2001:DB8::1"), [
    "nas",
    "*.lan.example",
    "192.0.2.1",
    "2001:db8::1",
  ]);
});

test("an entry that is neither a name nor an address is refused, and the message names it", () => {
  const bad = [
    "a b",
    "a.example\n",
    "\ta.example",
    "a.example\nDNS:evil.example",
    "a\0b",
    "*",
    "*.com",
    "a.*.example",
    "*a.example",
    "*.*.example",
    "-a.example",
    "a-.example",
    "a..example",
    ".example",
    "example.",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "::g",
    "fe80::1%eth0",
    "[::1]",
    "https://a.example",
    "a.example:443",
    "a/../b",
    "b\u00fccher.example",
    `${"a".repeat(64)}.example`,
    `${"a.".repeat(130)}example`,
    "DNS:a.example",
    "a.example,",
    ",",
    " ",
  ];
  for (const text of bad) {
    const refused = (error: unknown) =>
      hasCode(error, "invalid") && error.details?.["field"] === "domain_names" && error.message.includes('not "');
    assert.throws(() => parseDomainNames(`ok.example,${text}`), refused, JSON.stringify(text));
  }
  assert.throws(() => parseDomainNames("ok.example,a b"), /not "a b"$/);
  const many = Array.from({ length: 101 }, (_, n) => `h${n}.example`).join(",");
  assert.throws(() => parseDomainNames(many), /at most 100 names/);
});
