import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openWorld, type World } from "../attacks/sender.ts";
import { whileDown } from "../support/station-data.ts";
import { checkFields } from "./life/field-checks.ts";

interface Entry {
  id: number;
  ts: number;
  level: string;
  category: string;
  user: string;
  action: string;
  message: string;
}

/** The documented answers of these endpoints, as they are. */
const documented = JSON.parse(readFileSync(join(import.meta.dirname, "../fixtures/log-examples.json"), "utf8")) as {
  endpoint: string;
  examples: { kind: string; text?: string; json?: unknown[] }[];
}[];
const header = "Date,Level,Category,User,Message";
const registry = { method: "add", url: "https://log.example.com", enableTrustCert: false };

let world: World;
let viewer = "";
let operator = "";
before(async () => {
  world = await openWorld();
  viewer = await world.user("looker", "viewer");
  operator = await world.user("worker", "operator");
  for (const name of ["log1", "log2", "log3"])
    await world.send("POST", "/registry", { sid: world.admin, body: { ...registry, name } });
});
after(() => world.station.close());

const get = (query = "", sid = world.admin) => world.send("GET", `/log${query}`, { sid });
const list = async (query = "") => (await get(`?limit=9999${query}`)).json as Entry[];
const csv = async (query = "") => (await get(`/export${query}`)).text;
const clear = (sid = world.admin) => world.send("DELETE", "/log", { sid });

function answerOf(endpoint: string): { text?: string; json?: unknown[] } {
  const found = documented.find((one) => one.endpoint === endpoint)?.examples.find(({ kind }) => kind === "response");
  assert.ok(found, endpoint);
  return found;
}

/** Cells of a file that has no line breaks in its cells, which is sure: an entry has none. */
function cells(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
    ([, whole, plain]) => whole?.replaceAll('""', '"') ?? plain ?? "",
  );
}

/** What a documented cell is like: a date by its digits, an upper-case word, a word, a text. */
function formOf(cell: string): string {
  if (/^\d/.test(cell)) return cell.replaceAll(/\d/g, "0");
  return /^[A-Z]+$/.test(cell) ? "LEVEL" : /^[a-z]+$/.test(cell) ? "word" : "text";
}

test("every documented field of the chapter", async (context) => {
  const fields: { path: string; fault: string | undefined }[] = [];
  const note = (endpoint: string, found: typeof fields) =>
    fields.push(...found.map(({ path, fault }) => ({ path: `${endpoint} ${path}`, fault })));
  const check = (endpoint: string, answer: unknown) => {
    for (const example of answerOf(endpoint).json ?? []) note(endpoint, checkFields(example, answer));
  };
  check("GET /api/v1/log", (await get("?limit=5&category=image,export")).json);

  const text = (await csv()).trimEnd().split("\n").map(cells);
  const [names, first] = (answerOf("GET /api/v1/log/export").text ?? "").split("\n").map(cells);
  names?.forEach((name, n) => {
    const [wanted, found] = [formOf(first?.[n] ?? ""), formOf(text[1]?.[n] ?? "")];
    note("GET /api/v1/log/export", [
      { path: `column ${n}`, fault: text[0]?.[n] === name ? undefined : `is ${text[0]?.[n]}, not ${name}` },
      { path: name, fault: found === wanted ? undefined : `is like ${found}, not ${wanted}` },
    ]);
  });
  check("DELETE /api/v1/log", (await clear()).json);

  const faults = fields.filter(({ fault }) => fault !== undefined);
  context.diagnostic(`${fields.length - faults.length} of ${fields.length} documented fields`);
  assert.deepEqual(faults, []);
  assert.equal(fields.length, 3 * 7 + 5 * 2 + 1);
});

test("the export is an attachment in UTC, oldest first, of the same entries as the list", async () => {
  await world.login('caf\u00e9, "quoted"', "wrong password", "127.60.0.1");
  const { status, headers, text } = await get("/export");
  assert.equal(status, 200);
  assert.equal(headers["content-type"], "text/csv; charset=utf-8");
  assert.equal(headers["content-disposition"], 'attachment; filename="gantry-log.csv"');
  assert.equal(headers["cache-control"], "no-store");
  const [top, ...lines] = text.trimEnd().split("\n");
  assert.equal(top, header);
  const entries = (await list()).toReversed();
  assert.deepEqual(
    lines.map((line) => cells(line).slice(1)),
    entries.map(({ level, category, user, message }) => [level, category, user, message]),
  );
  for (const [n, line] of lines.entries()) {
    const date = cells(line)[0] ?? "";
    assert.match(date, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/);
    assert.equal(Math.floor(Date.parse(`${date.slice(0, 23).replace(" ", "T")}Z`) / 1000), entries[n]?.ts);
  }
  const head = await world.send("HEAD", "/log/export", { sid: world.admin });
  assert.deepEqual([head.status, head.headers["content-type"], head.text], [200, "text/csv; charset=utf-8", ""]);
});

test("a name that is a formula is none in the export, for commas and for semicolons", async () => {
  for (const [n, name] of ['=HYPERLINK("http://x/")', "x;=cmd|' /C calc'!A0", "@SUM(1)", "-2+3"].entries())
    await world.login(name, "wrong password", `127.61.${n}.1`);
  await world.send("POST", "/users", { sid: world.admin, body: { username: "+1", role: "viewer", password: "x" } });
  const text = await csv();
  assert.match(text, /HYPERLINK/);
  for (const line of text.trimEnd().split("\n")) {
    for (const cell of cells(line)) assert.doesNotMatch(cell, /^[=+\-@\t\r]/);
    for (const cell of line.split(";")) assert.doesNotMatch(cell, /^["\s]*[=+\-@]/);
  }
});

test("each filter, in the list and in the export", async () => {
  const all = await list();
  const filters: [query: string, keeps: (entry: Entry) => boolean][] = [
    ["level=WARN", ({ level }) => level === "WARN"],
    ["level=WARN,ERROR", ({ level }) => level !== "INFO"],
    ["level=INFO,%20WARN", ({ level }) => level !== "ERROR"],
    ["category=system", ({ category }) => category === "system"],
    ["category=container,image", ({ category }) => category === "container" || category === "image"],
    ["category=backup", () => false],
    ["user=admin", ({ user }) => user === "admin"],
    ["user=nobody", () => false],
    ["text=LOGIN%20of", ({ message }) => message.includes("Login of")],
    ["text=%25", ({ message }) => message.includes("%")],
    ["start=0&end=0&user=&level=&category=&text=", () => true],
    ["user=admin&level=INFO&text=clear", ({ action }) => action === "log clear"],
  ];
  for (const { ts } of [all[0], all.at(-1)].filter((entry) => entry !== undefined)) {
    filters.push([`start=${ts}`, (entry) => entry.ts >= ts], [`end=${ts}`, (entry) => entry.ts <= ts]);
    filters.push([`start=${ts}&end=${ts}`, (entry) => entry.ts === ts], [`start=${ts + 3600}`, () => false]);
  }
  for (const [query, keeps] of filters) {
    const kept = all.filter(keeps);
    const { status, json } = await get(`?limit=9999&${query}`);
    assert.deepEqual([status, json], [200, kept], query);
    assert.equal((await csv(`?${query}`)).trimEnd().split("\n").length, kept.length + 1, `export ${query}`);
  }
  assert.ok(filters.filter(([, keeps]) => all.some(keeps) && !all.every(keeps)).length >= 5, "they tell entries apart");
  assert.deepEqual((await get("?limit=3&offset=2")).json, all.slice(2, 5));
});

test("a bad filter is 400 and names its field", async () => {
  const bad: [query: string, field: string][] = [
    ["start=x", "start"],
    ["start=-1", "start"],
    ["end=1.5", "end"],
    ["end=9999999999999", "end"],
    ["level=LOUD", "level"],
    ["level=INFO,", "level"],
    ["level=INFO&level=WARN", "level"],
    ["category=system,other", "category"],
    [`user=${"x".repeat(129)}`, "user"],
    [`text=${"x".repeat(201)}`, "text"],
  ];
  const ofList: typeof bad = [
    ["limit=0", "limit"],
    ["limit=10000", "limit"],
    ["limit=", "limit"],
    ["offset=-1", "offset"],
  ];
  for (const [path, cases] of [["?", [...bad, ...ofList]] as const, ["/export?", bad] as const]) {
    for (const [query, field] of cases) {
      const { status, json } = await get(`${path}${query}`);
      assert.deepEqual([status, json.error.field], [400, field], `${path}${query}`);
      assert.match(json.error.message, new RegExp(`^${field} `));
    }
  }
});

test("LG-04: only an admin clears; what was is hidden, the clearing is not, and the rows stay", async () => {
  const before = await list();
  assert.ok(before.length > 1);
  for (const sid of [viewer, operator]) assert.equal((await clear(sid)).status, 403);
  assert.equal((await clear("garbage")).status, 401);
  const refused = (await list()).filter(({ id }) => id > (before[0]?.id ?? 0));
  assert.deepEqual(
    refused.map(({ user, action, level }) => [user, action, level]),
    [
      ["worker", "log clear", "WARN"],
      ["looker", "log clear", "WARN"],
    ],
  );
  assert.equal((await get("/export", operator)).status, 403);
  assert.equal((await get("/export", viewer)).status, 200);

  const shown = await list();
  assert.deepEqual((await clear()).json, { records: shown.length });
  const left = await list();
  assert.deepEqual(
    left.map(({ user, action, message }) => [user, action, message]),
    [["admin", "log clear", "Clear all system logs"]],
  );
  assert.deepEqual(await list("&end=1&start=1"), []);
  assert.equal((await csv()).trimEnd().split("\n").length, 2);
  assert.equal((await csv("?text=registries")).trimEnd(), header);
  assert.deepEqual((await clear()).json, { records: 1 });

  await whileDown(world.station, (db) => {
    for (const { id, message } of shown)
      assert.equal(db.prepare("SELECT message FROM audit WHERE id = ?").get(id)?.["message"], message);
  });
  assert.equal((await list()).length, 1, "hidden after a restart too");
});
