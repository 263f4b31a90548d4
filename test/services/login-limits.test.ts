import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../src/errors.ts";
import { sourceNetwork } from "../../src/util/addresses/source-network.ts";
import { createLoginLimits, type Verdict } from "../../src/services/accounts/login-limits.ts";

const judged = (verdict: Verdict) => async () => ({ verdict });
const isTooMany = (error: unknown) => hasCode(error, "too_many");

test("an address belongs to its /24 or /64, in every spelling", () => {
  const networks: [address: string, network: string][] = [
    ["192.168.1.20", "192.168.1.0/24"],
    ["::ffff:192.168.1.20", "192.168.1.0/24"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:1:2::6", "2001:db8:1:2::/64"],
    ["2001:db8::6", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["", ""],
  ];
  for (const [address, network] of networks) assert.equal(sourceNetwork(address), network, address);
});

test("however many tries come at once, no more than allowed are looked at", async () => {
  const limits = createLoginLimits({ tries: 5, perMinute: 1000 });
  let looked = 0;
  const check = async () => {
    looked++;
    await new Promise((resolve) => setImmediate(resolve));
    return { verdict: "wrong" as const };
  };
  const all = await Promise.allSettled(Array.from({ length: 40 }, (_, i) => limits.attempt("a", `10.0.${i}.1`, check)));
  assert.equal(looked, 5);
  assert.equal(all.filter(({ status }) => status === "fulfilled").length, 5);
  await limits.attempt("b", "10.0.0.1", judged("right"));
});

test("right passwords at once all pass, and half a login neither counts nor forgives", async () => {
  const limits = createLoginLimits({ tries: 5, perMinute: 100 });
  await Promise.all(Array.from({ length: 30 }, () => limits.attempt("a", "10.0.0.1", judged("right"))));
  for (let i = 0; i < 4; i++) await limits.attempt("a", "10.0.0.1", judged("wrong"));
  for (let i = 0; i < 20; i++) await limits.attempt("a", "10.0.0.1", judged("half"));
  await limits.attempt("a", "10.0.0.1", judged("wrong"));
  await assert.rejects(limits.attempt("a", "10.0.0.1", judged("right")), isTooMany);
});

test("a network has its own allowance over all users, counted before a password is looked at", async () => {
  const limits = createLoginLimits({ tries: 5, perMinute: 50 });
  let looked = 0;
  const check = async () => ({ verdict: (looked++, "wrong" as const) });
  const tries = Array.from({ length: 200 }, (_, i) => limits.attempt(`user ${i}`, `10.1.1.${i % 256}`, check));
  await Promise.allSettled(tries);
  assert.equal(looked, 50);
  await assert.rejects(limits.attempt("another", "10.1.1.9", judged("right")), isTooMany);
  await limits.attempt("another", "10.1.2.9", judged("right"));
});

test("who guesses from elsewhere keeps nobody out of a network that is known", async () => {
  const limits = createLoginLimits({ tries: 5, perMinute: 1000 });
  limits.trust("a", sourceNetwork("10.2.2.2"));
  for (let i = 0; i < 5; i++) await limits.attempt("a", "10.3.3.3", judged("wrong"));
  await assert.rejects(limits.attempt("a", "10.4.4.4", judged("right")), isTooMany);
  await limits.attempt("a", "10.2.2.99", judged("right"));
  for (let i = 0; i < 5; i++) await limits.attempt("a", "10.2.2.3", judged("wrong"));
  await assert.rejects(limits.attempt("a", "10.2.2.2", judged("right")), isTooMany, "it has a limit of its own");
  limits.forget("a");
});

test("of an account's own networks the last twenty count as known, and no other account's", async () => {
  const limits = createLoginLimits({ tries: 1, perMinute: 1000 });
  limits.trust("b", "10.9.0.0/24");
  for (let n = 0; n < 20; n++) limits.trust("a", `10.9.${n}.0/24`);
  limits.trust("a", "10.9.0.0/24");
  limits.trust("a", "10.9.20.0/24");
  for (const account of ["a", "b"]) await limits.attempt(account, "10.8.0.1", judged("wrong"));
  for (const third of [0, 2, 20]) await limits.attempt("a", `10.9.${third}.1`, judged("right"));
  await assert.rejects(limits.attempt("a", "10.9.1.1", judged("right")), isTooMany, "the oldest is forgotten");
  await limits.attempt("b", "10.9.0.1", judged("right"));
});
