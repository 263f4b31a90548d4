import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { adminPassword } from "../support/station.ts";
import { openWorld, type World } from "./sender.ts";

let world: World;
let etc: string;
const run = (command: string, args: string[], input = "") =>
  execFileSync(command, args, { input, stdio: ["pipe", "pipe", "pipe"] });

/** Users of a private /etc, so that those of the machine stay as they are. */
before(async () => {
  etc = mkdtempSync(join(tmpdir(), "etc-"));
  cpSync("/etc", etc, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  run("mount", ["--bind", etc, "/etc"]);
  writeFileSync("/etc/pam.d/gantry", "auth required pam_unix.so\naccount required pam_unix.so\n");
  for (const name of ["gantry-boss", "gantry-guest", "gantry-old"]) run("useradd", ["--no-create-home", name]);
  run("groupadd", ["-f", "sudo"]);
  run("usermod", ["-aG", "sudo", "gantry-boss"]);
  run("chpasswd", [], "gantry-boss:boss secret\ngantry-guest:guest: secret ü\ngantry-old:old secret\n");
  run("usermod", ["--expiredate", "2001-01-01", "gantry-old"]);
  world = await openWorld({ flags: ["--pam"] });
});
after(async () => {
  await world.station.close();
  run("umount", ["/etc"]);
  rmSync(etc, { recursive: true });
});

test("users of the host log in by their own password: members of sudo are admins, others look only", async () => {
  const boss = await world.login("gantry-boss", "boss secret");
  assert.equal(boss.status, 200);
  assert.deepEqual([boss.json.username, boss.json.isAdmin], ["gantry-boss", true]);
  const guest = await world.login("gantry-guest", "guest: secret ü");
  assert.deepEqual([guest.status, guest.json.isAdmin], [200, false]);
  const { json } = await world.send("GET", "/users", { sid: boss.sid });
  const roles = Object.fromEntries(
    (json as { username: string; role: string; source: string }[]).map((one) => [
      one.username,
      `${one.source} ${one.role}`,
    ]),
  );
  assert.deepEqual(roles, { admin: "local admin", "gantry-boss": "host admin", "gantry-guest": "host viewer" });
  assert.equal((await world.send("GET", "/users", { sid: guest.sid })).status, 403);
  assert.equal((await world.login("admin", adminPassword)).status, 200, "local users stay");
});

test("a wrong password, an expired account, an unknown name and what is no name are all 401, in the same time", async () => {
  const tries = [
    ["gantry-guest", "wrong"],
    ["gantry-old", "old secret"],
    ["gantry-nobody", "x"],
    ["admin", "wrong password"],
    ["--help", "x"],
    ["gantry-guest", "guest: secret ü\nx"],
    ["gantry-guest", `guest: secret ü${"x".repeat(600)}`],
  ] as const;
  const answers = await Promise.all(tries.map(([name, password]) => world.login(name, password)));
  const times = answers.map(({ took }) => took);
  assert.deepEqual(
    answers.map(({ status, text }) => `${status} ${text}`).filter((text, index, all) => all.indexOf(text) !== index)
      .length,
    tries.length - 1,
  );
  assert.ok(answers.every(({ status }) => status === 401));
  assert.ok(Math.min(...times) >= 3_900, times.map(Math.round).join());
});

test("a password of the host stands in no argument of a process and in no log", async () => {
  const seen: string[] = [];
  let over = false;
  const watch = (async () => {
    while (!over) {
      seen.push(run("ps", ["-eo", "args"]).toString());
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  await world.login("gantry-guest", "MARKER-of-the-host");
  over = true;
  await watch;
  assert.ok(
    seen.some((text) => text.includes("pamtester gantry gantry-guest")),
    "the process was seen",
  );
  assert.equal(seen.join().includes("MARKER-of-the-host"), false);
  assert.equal(world.station.errors().includes("MARKER-of-the-host"), false);
});

test("a user of the host who is named as the station signs cannot log in", async () => {
  run("useradd", ["--no-create-home", "System"]);
  run("chpasswd", [], "System:system secret\n");
  assert.equal((await world.login("System", "wrong secret")).status, 401);
  const { status, json } = await world.login("System", "system secret");
  assert.equal(status, 403);
  assert.match(json.error.message, /^A user of the host named System cannot log in/);
});

test("who leaves the group is no admin at his next login, and a local name of the same spelling cannot be made", async () => {
  run("gpasswd", ["-d", "gantry-boss", "sudo"]);
  assert.equal((await world.login("gantry-boss", "boss secret")).json.isAdmin, false);
  const twin = { username: "gantry-boss", role: "viewer", password: "long enough" };
  assert.equal((await world.send("POST", "/users", { sid: world.admin, body: twin })).status, 409);
  const disable = await world.send("PUT", "/users/gantry-guest", { sid: world.admin, body: { disabled: true } });
  assert.equal(disable.status, 200);
  assert.equal((await world.login("gantry-guest", "guest: secret ü")).status, 401);
});

test("who loses his group, or his account, on the host loses his session and token within moments", async () => {
  run("useradd", ["--no-create-home", "-G", "sudo", "gantry-fired"]);
  run("chpasswd", [], "gantry-fired:fired secret\n");
  const { sid, json } = await world.login("gantry-fired", "fired secret");
  assert.equal(json.isAdmin, true);
  const { token } = (await world.send("POST", "/tokens", { sid, body: { name: "t" } })).json as { token: string };
  assert.equal((await world.send("GET", "/users", { token })).status, 200);
  run("gpasswd", ["-d", "gantry-fired", "sudo"]);
  const until = async (path: string, sent: object, status: number) => {
    const end = Date.now() + 25_000;
    while ((await world.send("GET", path, sent)).status !== status) {
      assert.ok(Date.now() < end, `${path} never became ${status}`);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  };
  await until("/users", { token }, 403);
  assert.equal((await world.send("GET", "/users", { sid })).status, 401);
  run("userdel", ["gantry-fired"]);
  await until("/background", { token }, 401);
});
