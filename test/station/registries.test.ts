import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, beforeEach, test } from "node:test";
import type { RegistryList } from "../../src/api/registry.ts";
import type { Task } from "../../src/api/task.ts";
import { hasImage, removeImage } from "../support/docker-cli.ts";
import { startDockerProxy, type DockerProxy, type EngineMoment } from "../support/docker-proxy.ts";
import { testEngines } from "../support/engines.ts";
import { startStation, type TestStation } from "../support/station.ts";

const { registryAuth, registryLogin } = testEngines();
const marker = "S3CR3T-MARKER-7f1c";
const mine = { name: "mine", url: `http://${registryAuth}`, enableTrustCert: false, version: "v2" };
const hub = {
  enableTrustCert: true,
  id: 1,
  metadata: "",
  name: "Docker Hub",
  password: "",
  url: "https://registry.hub.docker.com",
  username: "",
  version: "",
};

let station: TestStation;
let proxy: DockerProxy;
let watch: (moment: EngineMoment) => void = () => undefined;
before(async () => {
  const { folder } = testEngines();
  proxy = await startDockerProxy(join(folder, "registries.sock"), (moment) => watch(moment));
  station = await startStation({ docker: proxy.address });
});
after(async () => {
  await station.close();
  await proxy.close();
});

beforeEach(async () => {
  watch = () => undefined;
  const { registries } = await station.client.ok<RegistryList>("GET", "/registry");
  for (const { name } of registries.slice(1))
    await station.client.ok("DELETE", `/registry/${encodeURIComponent(name)}`);
});

function save(method: "add" | "edit", fields: object): Promise<RegistryList> {
  return station.client.ok<RegistryList>("POST", "/registry", { method, ...fields });
}

async function refused(method: string, path: string, body?: unknown): Promise<[status: number, message: string]> {
  const answer = await station.client.send(method, path, body);
  const { error } = answer.body as { error?: { message: string } };
  return [answer.status, error?.message ?? ""];
}

const app = { type: "docker", repository: "private", registry_name: "mine", image: "private/app", tag: "1" };

async function pull(changes: object = {}): Promise<Task> {
  const { id } = await station.client.add("image_download", { ...app, ...changes });
  return station.client.ended(id);
}

/** Changes rows while the station is down. */
async function tamper(sql: string): Promise<void> {
  await station.stop();
  const db = new DatabaseSync(join(station.dataDir, "gantry.db"));
  db.exec(sql);
  db.close();
  await station.start();
}

test("Docker Hub alone, to begin with", async () => {
  assert.deepEqual(await station.client.ok("GET", "/registry"), { privateRegistry: 1, registries: [hub] });
});

test("the documents' add, edit with a new name, and delete", async () => {
  const added = await save("add", {
    name: "test",
    enableTrustCert: true,
    setToDefault: true,
    version: "v1",
    url: "https://test.registry.com",
    username: "my_user",
    password: "my_pass",
  });
  const [, row] = added.registries;
  const { id } = row as { id: number };
  const shown = { enableTrustCert: true, id, metadata: { crypt: true }, name: "test", password: "" };
  const expected = { ...shown, url: "https://test.registry.com", username: "my_user", version: "v1" };
  assert.deepEqual(added, { privateRegistry: id, registries: [hub, expected] });
  assert.ok(id > 1);

  const edited = await save("edit", {
    oldname: "test",
    name: "new_test",
    enableTrustCert: false,
    setToDefault: false,
    url: "https://new_test.registry.com",
    username: "my_new_user",
    password: "my_new_pass",
  });
  const change = {
    name: "new_test",
    enableTrustCert: false,
    url: "https://new_test.registry.com",
    username: "my_new_user",
  };
  assert.deepEqual(edited, { privateRegistry: 1, registries: [hub, { ...expected, ...change }] });
  assert.deepEqual(await station.client.ok("DELETE", "/registry/new_test"), { privateRegistry: 1, registries: [hub] });
  const again = await save("add", mine);
  assert.ok((again.registries[1]?.id ?? 0) > id, "an id is not used again");
  assert.equal(again.registries[1]?.metadata, "", "no password");
  assert.deepEqual(await station.client.ok("DELETE", "/registry", { name: "mine" }), {
    privateRegistry: 1,
    registries: [hub],
  });
});

test("names: taken, unknown, Docker Hub's", async () => {
  await save("add", mine);
  await save("add", { ...mine, name: "other" });
  assert.deepEqual(await refused("POST", "/registry", { method: "add", ...mine }), [
    409,
    "A registry named mine exists already.",
  ]);
  const rename = { method: "edit", ...mine, oldname: "mine", name: "other" };
  assert.deepEqual(await refused("POST", "/registry", rename), [409, "A registry named other exists already."]);
  assert.equal((await refused("POST", "/registry", { ...rename, oldname: "nobody" }))[0], 404);
  assert.equal((await refused("DELETE", "/registry/nobody"))[0], 404);
  const protectedName = /Docker Hub: that registry is built in/;
  for (const body of [
    { method: "add", ...mine, name: "Docker Hub" },
    { method: "edit", ...mine, name: "Docker Hub" },
    { method: "edit", ...mine, name: "x", oldname: "Docker Hub" },
    { method: "edit", ...mine, oldname: "mine", name: "Docker Hub" },
  ]) {
    const [status, message] = await refused("POST", "/registry", body);
    assert.equal(status, 400);
    assert.match(message, protectedName);
  }
  assert.match((await refused("DELETE", "/registry/Docker%20Hub"))[1], protectedName);
  assert.match((await refused("DELETE", "/registry", { name: "Docker Hub" }))[1], protectedName);
});

test("URLs that are no registry's", async () => {
  const { registries } = await station.client.ok<RegistryList>("GET", "/registry");
  for (const url of [
    "file:///etc/passwd",
    "unix:///var/run/docker.sock",
    "ftp://example.com",
    "javascript://example.com",
    "example.com",
    "",
    "https://",
    "https:example.com",
    "https://user@example.com",
    "https://user:secret@example.com",
    "https://@example.com",
    "https://example.com/path",
    "https://example.com/v2/",
    "https://example.com?a=b",
    "https://example.com#x",
    "https://example.com\r\nX-Evil: 1",
    "https://example.com\r\n",
    "https://exa\tmple.com",
    " https://example.com",
    "https:\\\\example.com",
    "https://example.com:99999",
    "https://[::1",
  ]) {
    const [status, message] = await refused("POST", "/registry", { method: "add", ...mine, url });
    assert.equal(status, 400, url);
    assert.match(message, /^url /);
  }
  assert.deepEqual((await station.client.ok<RegistryList>("GET", "/registry")).registries, registries);
  for (const [url, kept] of [
    ["HTTPS://Example.COM/", "https://example.com"],
    ["http://127.0.0.1:5001", "http://127.0.0.1:5001"],
    ["https://[::1]:5000", "https://[::1]:5000"],
  ] as const) {
    await save("add", { ...mine, name: "url", url });
    const listed = await station.client.ok<RegistryList>("GET", "/registry");
    assert.equal(listed.registries[1]?.url, kept);
    await station.client.ok("DELETE", "/registry/url");
  }
});

test("a pull by the registry's name, with the right password and the wrong one, also after a restart and a rename", async () => {
  const reference = `${registryAuth}/private/app:1`;
  await save("add", { ...mine, username: "test", password: "wrong" });
  const denied = await pull();
  assert.equal(denied.result, 1);
  assert.match(String(denied.error), new RegExp(`The registry ${registryAuth} refused access to ${reference}`));
  assert.equal(await hasImage(reference), false);

  await save("edit", { ...mine, ...registryLogin });
  assert.equal((await pull()).error, undefined);
  assert.equal(await hasImage(reference), true);
  await removeImage(reference);
  await save("edit", { ...mine, oldname: "mine", name: "renamed" });
  await station.stop();
  await station.start();
  assert.equal((await pull({ registry_name: "renamed" })).error, undefined, "kept, though not sent again");
  await removeImage(reference);

  await save("edit", { ...mine, name: "renamed", password: "" });
  assert.match(
    String((await pull({ registry_name: "renamed" })).error),
    /refused access/,
    "an empty password takes it away",
  );
});

test("a host that Docker would take for a name on Docker Hub is asked itself", async () => {
  await save("add", { ...mine, url: "http://localhost:5001", ...registryLogin });
  assert.equal((await pull()).error, undefined);
  await removeImage("localhost:5001/private/app:1");
  const asked: string[] = [];
  watch = ({ when, path }) => void (when === "before" && path.includes("/images/create") && asked.push(path));
  await save("edit", { ...mine, url: "http://intranet", ...registryLogin });
  assert.match(String((await pull()).error), /registry intranet:80/);
  watch = () => undefined;
  const name = new URL(asked[0] ?? "", "http://docker").searchParams.get("fromImage");
  assert.equal(name, "intranet:80/private/app");
});

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
    await tamper(attack);
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
    for (const name of ["mine", "other"]) await station.client.ok("DELETE", `/registry/${name}`);
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
  watch = look;
  const timer = setInterval(look, 5);
  context.after(() => clearInterval(timer));
  const login = { username: "test", password: marker };
  const answers: unknown[] = [
    await save("add", { ...mine, ...login }),
    await save("add", { ...mine, name: "second", ...login }),
  ];
  answers.push(await save("edit", { ...mine, name: "renamed", oldname: "second" }));
  answers.push(await pull(), await pull({ registry_name: "renamed" }));
  answers.push(await station.client.ended((await station.client.add("create", { ...app, name: "registries" })).id));
  answers.push(await refused("POST", "/registry", { method: "add", ...mine, ...login, url: `https://${marker}@x` }));
  answers.push(await refused("POST", "/registry", { method: "add", ...mine, ...login, name: "\n" }));
  for (const path of ["/registry", "/background"]) answers.push(await station.client.ok("GET", path));
  clearInterval(timer);
  watch = () => undefined;

  assert.ok(lines.size > 3);
  const places = { answers: JSON.stringify(answers), log: station.errors(), cmdline: [...lines].join("\n") };
  for (const [place, text] of Object.entries(places)) assert.equal(text.includes(marker), false, place);
  for (const needle of [
    marker,
    Buffer.from(marker).toString("base64").slice(0, -2),
    Buffer.from(marker).toString("hex"),
  ]) {
    const script = 'grep -rlaF "$1" "$0" || true';
    assert.equal(execFileSync("sh", ["-c", script, station.dataDir, needle], { encoding: "utf8" }), "", needle);
  }
  const db = new DatabaseSync(join(station.dataDir, "gantry.db"), { readOnly: true });
  const [first, second] = db.prepare("SELECT password FROM registry").all() as { password: string }[];
  const events = db.prepare("SELECT data FROM event").all();
  db.close();
  assert.ok(first && second && first.password !== second.password && first.password.length > marker.length);
  assert.ok(events.length > 0 && !JSON.stringify(events).includes(marker));
});
