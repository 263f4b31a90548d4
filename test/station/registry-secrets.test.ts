import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { removeImage } from "../support/docker-cli.ts";
import { testEngines } from "../support/engines.ts";
import { filesWith, inDatabase, whileDown } from "../support/station-data.ts";
import { app, mine, registryWorld } from "./registry-world.ts";

/** The passwords of registries: kept under lock, and shown nowhere. */
const { registryAuth, registryLogin } = testEngines();
const marker = "S3CR3T-MARKER-7f1c";
const { station, save, refused, pull, watch } = registryWorld();

test("a changed or exchanged ciphertext is an error that says what to do, and nothing is sent", async () => {
  const open = /The stored secret of registry mine cannot be opened; enter it again/;
  const flipped = "CASE substr(password, 30, 1) WHEN 'A' THEN 'B' ELSE 'A' END";
  const attacks = [
    `UPDATE registry SET password = substr(password, 1, 29) || ${flipped} || substr(password, 31)`,
    "UPDATE registry SET password = 'AAAA'",
    "UPDATE registry SET password = substr(password, 1, 20)",
    // Two rows' ciphertexts are exchanged.
    "UPDATE registry SET password = (SELECT password FROM registry AS other WHERE other.name != registry.name)",
  ];
  for (const attack of attacks) {
    await save("add", { ...mine, ...registryLogin });
    await save("add", { ...mine, name: "other", username: "other", password: "another secret" });
    await whileDown(station(), (db) => db.exec(attack));
    const [status, message] = await refused("POST", "/background/image_download", app);
    assert.equal(status, 409, attack);
    assert.match(message, open);
    assert.match(
      (await refused("POST", "/registry", { method: "edit", ...mine, oldname: "mine", name: "x" }))[1],
      open,
    );
    await save("edit", { ...mine, ...registryLogin });
    assert.equal((await pull()).error, undefined, "entered again, it works");
    await removeImage(`${registryAuth}/private/app:1`);
    for (const name of ["mine", "other"]) await station().client.ok("DELETE", `/registry/${name}`);
  }
});

test("a password is found nowhere: not in answers, files, the log, tasks, events or command lines", async (context) => {
  const lines = new Set<string>();
  const look = () => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        lines.add(readFileSync(`/proc/${pid}/cmdline`, "latin1"));
      } catch {
        // It ended.
      }
    }
  };
  watch(look);
  const timer = setInterval(look, 5);
  context.after(() => clearInterval(timer));
  const login = { username: "test", password: marker };
  const answers: unknown[] = [
    await save("add", { ...mine, ...login }),
    await save("add", { ...mine, name: "second", ...login }),
  ];
  answers.push(await save("edit", { ...mine, name: "renamed", oldname: "second" }));
  answers.push(await pull(), await pull({ registry_name: "renamed" }));
  answers.push(await station().client.ended((await station().client.add("create", { ...app, name: "registries" })).id));
  answers.push(await refused("POST", "/registry", { method: "add", ...mine, ...login, url: `https://${marker}@x` }));
  answers.push(await refused("POST", "/registry", { method: "add", ...mine, ...login, name: "\n" }));
  for (const path of ["/registry", "/background"]) answers.push(await station().client.ok("GET", path));
  clearInterval(timer);
  watch(() => undefined);

  assert.ok(lines.size > 3);
  const places = { answers: JSON.stringify(answers), log: station().errors(), cmdline: [...lines].join("\n") };
  for (const [place, text] of Object.entries(places)) assert.equal(text.includes(marker), false, place);
  for (const needle of [
    marker,
    Buffer.from(marker).toString("base64").slice(0, -2),
    Buffer.from(marker).toString("hex"),
  ]) {
    assert.deepEqual(filesWith(station().dataDir, needle), [], needle);
  }
  const read = (sql: string) => inDatabase(station(), (db) => db.prepare(sql).all());
  const [first, second] = read("SELECT password FROM registry") as { password: string }[];
  const events = read("SELECT data FROM event");
  assert.ok(first && second && first.password !== second.password && first.password.length > marker.length);
  assert.ok(events.length > 0 && !JSON.stringify(events).includes(marker));
});
