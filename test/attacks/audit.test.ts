import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { removeContainers } from "../support/docker-cli.ts";
import { whileDown } from "../support/station-data.ts";
import { openWorld, userPassword, type World } from "./sender.ts";

interface Entry {
  id: number;
  ts: number;
  user: string;
  address: string;
  action: string;
  target: string;
  result: string;
  message: string;
  level: string;
  category: string;
}

let world: World;
before(async () => {
  world = await openWorld();
});
after(async () => {
  await removeContainers("audit-");
  await world.station.close();
});

const base = { type: "docker", repository: "dockerhub", image: "busybox", tag: "latest" };
const entries = async (query = ""): Promise<Entry[]> =>
  (await world.send("GET", `/log?limit=9999${query}`, { sid: world.admin })).json as Entry[];

/** The entries that an act brings, the oldest first. */
async function brought(act: () => Promise<unknown>): Promise<Entry[]> {
  const last = (await entries())[0]?.id ?? 0;
  await act();
  return (await entries()).filter(({ id }) => id > last).toReversed();
}
const short = (list: readonly Entry[]) =>
  list.map(({ user, action, target, result }) => [user, action, target, result].join("|"));

test("LG-05: logins, users, tokens, registries: exactly one entry each, with who, where, what, on what, and how it went", async () => {
  const { send, admin } = world;
  const alice = await world.user("alice", "operator");
  const registry = {
    method: "add",
    name: "r1",
    url: "https://r.example.com",
    enableTrustCert: false,
    password: "pw-MARKER",
  };
  const acts: [act: () => Promise<unknown>, expected: string[]][] = [
    [() => world.login("alice", userPassword), ["alice|login|alice|done"]],
    [() => world.login("alice", "wrong password", "127.50.0.1"), ["|login|alice|refused"]],
    [() => send("GET", "/users", { sid: alice }), ["alice|users list||refused"]],
    [
      () => send("POST", "/users", { sid: alice, body: { username: "x", role: "admin", password: userPassword } }),
      ["alice|users create|x|refused"],
    ],
    [
      () => send("POST", "/background/create", { sid: alice, body: { ...base, name: "audit-no", privileged: true } }),
      ["alice|background add|create audit-no|refused"],
    ],
    [() => send("PUT", "/users/alice", { sid: admin, body: { role: "viewer" } }), ["admin|users change|alice|done"]],
    [() => send("DELETE", "/users/nobody", { sid: admin }), ["admin|users remove|nobody|failed"]],
    [() => send("POST", "/tokens", { sid: admin, body: { name: "ci" } }), ["admin|tokens create|ci|done"]],
    [() => send("POST", "/registry", { sid: admin, body: registry }), ["admin|registries save|r1|done"]],
    [
      () => send("POST", "/registry", { sid: admin, body: { ...registry, method: "edit", name: "r2", oldname: "r1" } }),
      ["admin|registries save|r2|done"],
    ],
    [() => send("DELETE", "/registry/r2", { sid: admin }), ["admin|registries remove|r2|done"]],
    [
      () => send("POST", "/registry", { sid: admin, body: { ...registry, url: "https://me:pw-MARKER@example.com" } }),
      ["admin|registries save|r1|failed"],
    ],
    [() => send("GET", "/background", { sid: admin }), []],
    [() => send("GET", "/background", { sid: "garbage" }), []],
    [() => send("DELETE", "/background/1", { sid: "garbage" }), []],
  ];
  for (const [act, expected] of acts) {
    const found = await brought(act);
    assert.deepEqual(short(found), expected);
    for (const { address, ts } of found) {
      assert.match(address, /^127\./);
      assert.ok(Math.abs(ts - Date.now() / 1000) < 10);
    }
  }
  assert.equal(JSON.stringify(await entries()).includes("pw-MARKER"), false);
  const messages = (await entries("&category=image&text=Registry")).map(({ message }) => message).toReversed();
  const sentences = [`Registry add: r1, ${registry.url}`, "Registry edit: r2", "Registry remove: r2"];
  assert.deepEqual(messages.slice(0, 3), sentences, "as documented");
  assert.equal((await entries("&text=wrong"))[0]?.address, "127.50.0.1");
});

test("LG-05: a task's begin, what it made or why it failed, its end and its cancel: exactly one entry each", async () => {
  const { client } = world.station;
  let id = 0;
  const whole = await brought(async () => {
    ({ id } = await client.add("create", { ...base, name: "audit-a" }));
    await client.ended(id);
  });
  assert.deepEqual(
    short(whole),
    ["add", "result", "end"].map((word) => `admin|task ${word}|task ${id}|done`),
  );
  assert.equal(whole[0]?.message, "Start to do background task (create, audit-a)");
  assert.match(whole[1]?.message ?? "", /^Create container \(docker, [0-9a-f]{12}, audit-a\)$/);
  assert.equal(whole[2]?.message, "Finished background task (create, audit-a)");
  const failing = await brought(async () => {
    ({ id } = await client.add("image_download", { ...base, image: "no-such-image" }));
    await client.ended(id);
  });
  const ends = [`admin|task error|task ${id}|failed`, `admin|task end|task ${id}|failed`];
  assert.deepEqual(short(failing), [`admin|task add|task ${id}|done`, ...ends]);
  assert.match(
    failing[1]?.message ?? "",
    /^Background task error for image_download no-such-image:latest: \S[^\n]{5,512}$/,
  );
  assert.equal(failing[2]?.message, "Failed to do background task (image_download, no-such-image:latest)");
  assert.deepEqual(
    failing.map(({ level, category }) => [level, category]),
    [
      ["INFO", "image"],
      ["ERROR", "image"],
      ["ERROR", "image"],
    ],
  );
  const cleared = await brought(() => client.ok("DELETE", `/background/${id}`));
  assert.deepEqual(short(cleared), [`admin|task clear|task ${id}|done`]);
});

test("LG-01: line breaks, escapes and reading directions of a name stay in one line, as text", async () => {
  const names = ["bob\n2026-11-25 admin login ok", "\u001b[2Jbob", "a\u2028b", "\u202Enimda", "tab\there"];
  for (const [index, name] of names.entries()) {
    const found = await brought(() => world.login(name, "wrong password", `127.51.${index}.1`));
    assert.equal(found.length, 1);
    for (const text of [found[0]?.message ?? "", found[0]?.target ?? ""]) {
      assert.doesNotMatch(text, /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
      assert.match(text, /\\u\{[0-9a-f]+\}/);
    }
  }
  for (const line of world.station.errors().trim().split("\n").filter(Boolean))
    assert.doesNotThrow(() => JSON.parse(line) as unknown);
});

test("LG-03: filters are texts and no patterns, pages are capped, nonsense is 400", async () => {
  for (const query of ["limit=0", "limit=10000", "limit=x", "offset=-1", "start=x", "level=LOUD", "category=x,system"])
    assert.equal((await world.send("GET", `/log?${query}`, { sid: world.admin })).status, 400, query);
  const begun = performance.now();
  for (const text of ["(a+)+$", "%", "_", "' OR 1=1--", "%25"])
    assert.deepEqual(await entries(`&text=${encodeURIComponent(text)}${"a".repeat(50)}`), []);
  assert.ok(performance.now() - begun < 10_000);
  assert.equal((await world.send("GET", "/log", { sid: world.admin })).json.length, 20, "20 without a limit");
  const [first, second] = await entries();
  assert.equal((await world.send("GET", "/log?limit=1&offset=1", { sid: world.admin })).json[0].id, second?.id);
  assert.ok((first?.id ?? 0) > (second?.id ?? 0));
  assert.ok((await entries("&user=alice&category=system,image&level=INFO,WARN")).every(({ user }) => user === "alice"));
  assert.deepEqual(await entries("&start=1&end=2"), []);
});

test("LG-04: nobody but a viewer and an admin reads it, nobody changes it, not even by SQL", async () => {
  const operator = await world.user("lg04", "operator");
  assert.equal((await world.send("GET", "/log", { sid: operator })).status, 403);
  for (const method of ["PUT", "POST"])
    assert.equal((await world.send(method, "/log", { sid: world.admin, body: {} })).status, 405);
  await whileDown(world.station, (db) => {
    assert.throws(() => db.exec("UPDATE audit SET user = 'nobody'"), /append only/);
    assert.throws(() => db.exec("UPDATE audit SET result = 'done' WHERE result = 'refused'"), /append only/);
  });
});

test("a flood of refused logins from one place is a few entries, which say how many they stand for", async () => {
  const found = await brought(async () => {
    await Promise.all(Array.from({ length: 200 }, (_, i) => world.login("flood", `guess ${i}`, "127.52.0.1")));
  });
  assert.ok(found.length >= 1 && found.length <= 3, String(found.length));
});

test("LG-06: what cannot be written down is not done, and the station goes on", async () => {
  const folder = mkdtempSync(join(tmpdir(), "audit-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", folder]);
  const dataDir = join(folder, "data");
  mkdirSync(dataDir);
  const full = await openWorld({ dataDir });
  try {
    await full.user("victim", "viewer");
    writeFileSync(join(folder, "filler"), "");
    try {
      execFileSync("dd", ["if=/dev/zero", `of=${join(folder, "filler")}`, "bs=64k"], { stdio: "ignore" });
    } catch {
      // It ends when the disk is full.
    }
    const users = () => full.send("GET", "/users", { sid: full.admin });
    const before = (await users()).text;
    let refused = 0;
    for (let i = 0; i < 40 && refused === 0; i++) {
      const body = { role: i % 2 ? "viewer" : "operator" };
      const { status } = await full.send("PUT", "/users/victim", { sid: full.admin, body });
      if (status === 507) refused++;
      else assert.equal(status, 200);
      await sleep(10);
    }
    assert.equal(refused, 1, "a full disk refuses");
    const shown = (await users()).text;
    assert.equal((await full.send("PUT", "/users/victim", { sid: full.admin, body: { disabled: true } })).status, 507);
    assert.equal((await users()).text, shown, "and changes nothing");
    assert.notEqual(before, "");
    rmSync(join(folder, "filler"));
    const end = Date.now() + 20_000;
    let healed = 0;
    while (healed !== 200 && Date.now() < end) {
      await sleep(500);
      healed = (await full.send("PUT", "/users/victim", { sid: full.admin, body: { disabled: true } })).status;
    }
    assert.equal(healed, 200, "it heals");
  } finally {
    await full.station.close();
    execFileSync("umount", ["-l", folder]);
    rmSync(folder, { recursive: true, force: true });
  }
});
