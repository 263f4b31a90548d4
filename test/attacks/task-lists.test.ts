import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Task } from "../../src/api/task.ts";
import { openStream } from "../station/streams.ts";
import { removeContainers } from "../support/docker-cli.ts";
import { openWorld, userPassword, type World } from "./sender.ts";

let world: World;
let operator: string;
let viewer: string;

before(async () => {
  world = await openWorld({ flags: ["--heavy", "0"] });
  operator = await world.user("op", "operator");
  viewer = await world.user("looker", "viewer");
});
after(async () => {
  await world.station.close();
  await removeContainers("lists-");
});

const base = { type: "docker", repository: "dockerhub", image: "busybox", tag: "latest" };
const large = 60;
const list = async (sid: string, query: string) => {
  const answer = await world.send("GET", `/background${query}`, { sid });
  assert.equal(answer.status, 200, answer.text.slice(0, 200));
  return { ...answer, tasks: answer.json as Task[] };
};

test("OP-05: 60 tasks with 900 KB each blind nobody: the list is whole, its long values are cut, a task by itself is not", async () => {
  const ids: number[] = [];
  for (let n = 0; n < large; n++) {
    const environment = [
      `TZ=${"x".repeat(100_000)}`,
      ...Array.from({ length: 8 }, (_, m) => `V${m}=${"y".repeat(100_000)}`),
    ];
    const body = { ...base, name: `lists-${n}`, environment };
    const { json, text } = await world.send("POST", "/background/create", { sid: operator, body });
    assert.equal(json?.state, "waiting", text.slice(0, 200));
    ids.unshift(json.id);
  }
  for (const sid of [operator, viewer, world.admin]) {
    const { tasks, text } = await list(sid, "");
    assert.deepEqual(
      tasks.map(({ id }) => id),
      ids,
    );
    assert.ok(text.length < large * 8192, `${text.length} characters`);
  }
  const [shown] = (await list(operator, "?limit=1")).tasks;
  assert.equal(shown?.cut, true);
  assert.match(JSON.stringify(shown?.params), /TZ=x{500,}\.\.\. \(cut\)/);
  const whole = (await world.send("GET", `/background/${ids[0]}`, { sid: operator })).json as Task;
  assert.equal(whole.cut, undefined);
  const { environment } = whole.params as { environment: string[] };
  assert.deepEqual([environment[0]?.length, environment[1]], [100_003, "V0=********"]);
});

test("one user's requests have a limit, which clearing and cancelling make room under; admins have none", async () => {
  const large = { ...base, environment: Array.from({ length: 9 }, (_, n) => `V${n}=${"z".repeat(100_000)}`) };
  const post = (sid: string, name: string) =>
    world.send("POST", "/background/create", { sid, body: { ...large, name } });
  let refused = await post(operator, "lists-more-0");
  for (let n = 1; refused.status === 200 && n < 30; n++) refused = await post(operator, `lists-more-${n}`);
  assert.equal(refused.status, 429, refused.text.slice(0, 200));
  assert.match(refused.json.error.message, /^The tasks of op would keep more than 64 MiB: clear those that are over/);
  assert.equal((await post(world.admin, "lists-admin")).status, 200);
  const [newest] = (await list(operator, "?limit=1")).tasks;
  assert.equal((await world.send("DELETE", `/background/${newest?.id}`, { sid: operator })).status, 200);
  assert.equal((await post(operator, "lists-room")).status, 200);
});

test("one user's tasks have a limit, so that others still get theirs in", async (t) => {
  const held = await openWorld({ flags: ["--heavy", "0", "--max-user-tasks", "3", "--max-streams", "1"] });
  t.after(() => held.station.close());
  const sids = [await held.user("many", "operator"), await held.user("few", "operator")];
  const post = async (sid: string, name: string) =>
    (await held.send("POST", "/background/create", { sid, body: { ...base, name } })).status;
  const [many = "", few = ""] = sids;
  for (let n = 0; n < 3; n++) assert.equal(await post(many, `lists-many-${n}`), 200);
  assert.deepEqual([await post(many, "lists-many-3"), await post(few, "lists-few")], [429, 200]);
  const { sid } = await held.login("many", userPassword);
  const [last] = (await held.send("GET", "/background", { sid })).json as Task[];
  for (const [method, path] of [
    ["GET", "/background"],
    ["DELETE", `/background/${last?.id}`],
    ["DELETE", "/background"],
    ["PUT", "/logout"],
  ] as const)
    assert.equal((await held.send(method, path, { sid })).status, 200, `${method} ${path} with a full quota`);
  assert.deepEqual([await post(many, "lists-many-4"), await post(many, "lists-many-5")], [200, 429]);
  // A whole list is a stream too.
  const stream = await openStream(held.station.url, `CS_SESS_ID=${few}`);
  t.after(() => stream.close());
  for (const [asker, query, status] of [
    [few, "", 429],
    [few, "?limit=5", 200],
    [many, "", 200],
  ] as const)
    assert.equal((await held.send("GET", `/background${query}`, { sid: asker })).status, status);
});

test("pages end by number and by bytes, and the Link header leads to the next one, through all", async () => {
  const all = (await list(operator, "")).tasks.map(({ id }) => id);
  for (const limit of [7, 50, 1000]) {
    const found: number[] = [];
    let query: string | undefined = `?limit=${limit}`;
    while (query !== undefined) {
      const { tasks, headers }: Awaited<ReturnType<typeof list>> = await list(operator, query);
      assert.ok(tasks.length > 0 && tasks.length <= limit, `${tasks.length} of ${limit}`);
      found.push(...tasks.map(({ id }) => id));
      query = /^<(\?[^>]*)>; rel="next"$/.exec(String(headers.link))?.[1];
    }
    assert.deepEqual(found, all);
  }
  const foreign = await world.user("other", "operator");
  assert.deepEqual((await list(foreign, "")).tasks, []);
  assert.equal((await world.send("GET", `/background/${all[0]}`, { sid: foreign })).status, 404);
  for (const id of ["999999", "create", "-1"])
    assert.equal((await world.send("GET", `/background/${id}`, { sid: operator })).status, 404, id);
});

test("OP-06: a viewer finds no environment and no command anywhere; others find them masked", async (t) => {
  const { station, send, admin, user } = await openWorld();
  t.after(() => station.close());
  const sid = await user("looker", "viewer");
  const stream = await openStream(station.url, `CS_SESS_ID=${sid}`);
  t.after(() => stream.close());
  const secrets = ["S3CRET-a", "S3CRET-b", "S3CRET-c", "S3CRET-d", "S3CRET-e", "S3CRET-f"];
  const body = {
    ...base,
    name: "lists-secret",
    environment: [`MYSQL_PWD=${secrets[0]}`, `GITHUB_PAT=${secrets[1]}`, `DATABASE_URL=postgres://u:${secrets[2]}@h/d`],
    entrypoint: ["/lists-no-such-program"],
    command: `--password=${secrets[3]} -p${secrets[4]}`,
    location: `https://u:${secrets[5]}@example.com/`,
    download: { location: `https://example.com/?token=${secrets[5]}` },
  };
  const post = () => send("POST", "/background/create", { sid: admin, body, headers: { "idempotency-key": "lists" } });
  const receipts = [await post(), await post()];
  const { id } = receipts[0]!.json as Task;
  assert.equal(receipts[1]!.json.id, id);
  const failed = await station.client.ended(id);
  assert.match(String(failed.error), /lists-no-such-program/, "Docker repeats the program in its error");
  const exec = { command: `echo ${secrets[0]} '`, environment: [`A=${secrets[1]}`] };
  assert.equal((await send("POST", "/container/docker/lists-none/exec", { sid: admin, body: exec })).status, 400);
  const paths = ["/background", "/background?limit=5", `/background/${id}`, "/event", "/log?limit=1000", "/log/export"];
  for (const path of paths) {
    const seen = await send("GET", path, { sid });
    assert.equal(seen.status, 200);
    assert.equal(seen.text.match(/S3CRET|MYSQL_PWD|GITHUB_PAT|DATABASE_URL|no-such-program|--password/), null, path);
    const others = [(await send("GET", path, { sid: admin })).text, ...receipts.map(({ text }) => text)];
    for (const text of others) assert.equal(text.match(/S3CRET/), null, path);
  }
  await stream.until((items) => items.some(({ data }) => data.data?.state === "error"));
  assert.equal(JSON.stringify(stream.items).match(/S3CRET|no-such-program|--password/), null);
  assert.match((await send("GET", `/background/${id}`, { sid: admin })).text, /--password=\*{8} -p\*{8}/);
});
