import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { textFields, withText } from "../http/text-fields.ts";
import { listRoutes } from "../station/route-list.ts";
import { table } from "../station/role-table.ts";
import { dockerApi, listContainers, removeContainers } from "../support/docker-cli.ts";
import { objectFields, type Named } from "./object-fields.ts";
import { openWorld, type World } from "./sender.ts";

/** Every field of every request, with what is somebody else's: 400, 403, 404 or 409, and nothing is shown or changed. */
const image = { type: "docker", repository: "dockerhub", image: "busybox", tag: "latest" };
const secret = "SECRET-OF-ALICE";
const stays = "sh -c 'trap exit TERM; while :; do sleep 0.1; done'";

let world: World;
let alice: string;
let bob: string;
/** Texts that mean something of alice's, by what they name. */
let foreign: Partial<Record<Named, readonly string[]>>;
let foreignIds: readonly string[] = [];

interface Inspected {
  Id: string;
  Image: string;
  Mounts: { Name?: string; Destination: string }[];
  HostConfig: { VolumesFrom: string[] | null; Links: string[] | null };
}

const inspect = (id: string) => dockerApi<Inspected>("GET", `/containers/${id}/json`);

before(async () => {
  world = await openWorld();
  alice = await world.user("alice", "operator");
  bob = await world.user("bob", "operator");
  const registry = { method: "add", name: "closed", url: "http://127.0.0.1:5001", enableTrustCert: false };
  await world.station.client.ok("POST", "/registry", { ...registry, username: "test", password: "secret" });
  const one = await make(alice, "foreign-one");
  const two = await make(alice, "foreign-two");
  foreignIds = [one, two];
  await make(bob, "foreign-own");
  // Names that look like ids are from before they were refused, or made by another program.
  await dockerApi("POST", `/containers/${await make(bob, "foreign-short")}/rename?name=${one.slice(0, 12)}`);
  await dockerApi("POST", `/containers/${await make(bob, "foreign-long")}/rename?name=${one}`);
  await seen(one.slice(0, 12));
  foreign = await foreignTexts(one, two);
});
after(async () => {
  await removeContainers("foreign-");
  for (const id of foreignIds)
    for (const { Id, Names } of await listContainers())
      if (Names.some((name) => id.startsWith(name.slice(1))))
        await dockerApi("DELETE", `/containers/${Id}?force=1&v=1`);
  await dockerApi("DELETE", "/networks/foreign-net");
  await world.station.close();
});

/** Returns the id of a new container, which runs. */
async function make(sid: string, name: string, more: object = {}): Promise<string> {
  const body = { ...image, name, command: stays, environment: [`A=${secret}`], volume: { new: ["/data"] }, ...more };
  const answer = await world.send("POST", "/container", { sid, body });
  assert.equal(answer.status, 200, answer.text);
  return answer.json.id as string;
}

/** Waits until the station has seen a container of this name. */
async function seen(name: string): Promise<void> {
  for (const end = Date.now() + 20_000; ; await sleep(50)) {
    const list = await world.station.client.ok<{ name: string }[]>("GET", "/container");
    if (list.some((one) => one.name === name)) return;
    assert.ok(Date.now() < end, `${name} is not in the list`);
  }
}

async function foreignTexts(one: string, two: string): Promise<typeof foreign> {
  const { Image, Mounts } = await inspect(two);
  const volume = Mounts[0]?.Name ?? "";
  const network = (await dockerApi<{ Id: string }>("POST", "/networks/create", { Name: "foreign-net" })).Id;
  const id = Image.replace("sha256:", "");
  const task = (await world.send("GET", "/background", { sid: alice })).json[0].id as number;
  const token = (await world.send("POST", "/tokens", { sid: alice, body: { name: "alice" } })).json.id as number;
  const [session] = (await world.send("GET", "/sessions", { sid: alice })).json as { id: string }[];
  const names = ["foreign-one", "foreign-two"];
  const ids = [one, two].flatMap((whole) => [whole, whole.slice(0, 12), whole.slice(0, 20), `sha256:${whole}`]);
  const containers = [...ids, ...names, "foreign-two:ro", `${two}:ro`, "/foreign-two"];
  const uuids = ["54e21881-8620-4bb0-95f1-05f143973a6e", two, "foreign-two"];
  return {
    container: containers,
    "new container": containers,
    image: [Image, id, id.slice(0, 12), "busybox:latest:ro"],
    volume: [volume, volume.slice(0, 12), `${volume}:/data`, `${volume}:ro`, `/${volume}:/data`],
    share: [`/${volume}`, `/var/lib/docker/volumes/${volume}/_data`, volume, "/alice", "/etc"],
    network: [network, network.slice(0, 12), "foreign-net", "foreign-net:ro", "docker0", "lo", `container:${two}`],
    registry: ["closed", "closed:ro"],
    user: ["alice", "admin", "alice:ro"],
    task: [String(task)],
    session: [session?.id ?? ""],
    token: [String(token)],
    "openvz container": uuids,
    job: uuids,
  };
}

interface Probe {
  route: string;
  part: string;
  path: string[];
  named: Named;
}

function probes(): Probe[] {
  return listRoutes()
    .filter(({ method }) => method !== "HEAD")
    .flatMap(({ method, url, schema }) =>
      (["params", "querystring", "body"] as const).flatMap((part) =>
        textFields(schema[part] ?? {}).flatMap((path): Probe[] => {
          const route = `${method} ${url}`;
          const named = objectFields[route]?.[`${part} ${path.join(".")}`];
          return path.length > 0 ? [{ route, part, path, named: named as Named }] : [];
        }),
      ),
    );
}

let serial = 0;

/** A request in which all is bob's own, and right, but for the text that is tried. */
function requestOf({ route, part, path, named }: Probe, text: string) {
  const [method = "", url = ""] = route.split(" ");
  const own: Record<string, string> = {
    type: "docker",
    id: "foreign-own",
    state: route.includes("wait") ? "running" : "on",
  };
  if (part === "params") own[path[0] ?? ""] = text;
  const filled = url.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(own[name] ?? "x"));
  const query = part === "querystring" ? `?${path[0]}=${encodeURIComponent(text)}` : "";
  const creates = route.endsWith("create") || route === "POST /container";
  const plain = creates ? createBody(named) : table[route]?.body?.("bob");
  const usual = named === "registry" && isOfImage(plain) ? { ...plain, repository: "private", image: "app" } : plain;
  const body = part === "body" ? withText(usual, path, text) : usual;
  const force = route.startsWith("DELETE /container") ? "?force=true" : "";
  return { method, path: `${filled}${query}${force}`, body };
}

function isOfImage(body: unknown): body is object {
  return typeof body === "object" && body !== null && "repository" in body && "image" in body;
}

function createBody(named: Named): object {
  return {
    ...image,
    name: `foreign-probe-${++serial}`,
    command: stays,
    ...(named === "network" && { network: { mode: "bridge" } }),
  };
}

/** All of alice's, and of the engine's, that a request could change; what bob makes comes and goes. */
async function picture(): Promise<unknown> {
  const lists = ["/background", "/tokens", "/users", "/registry"].map((path) =>
    world.send("GET", path, { sid: world.admin }),
  );
  const [tasks, ...others] = (await Promise.all(lists)).map(({ json }) => json as { user?: string }[]);
  const containers = await Promise.all(foreignIds.map(inspect));
  const volumes = await dockerApi<{ Volumes: { Name: string }[] }>("GET", "/volumes");
  const images = await dockerApi<{ Id: string; RepoTags: string[] }[]>("GET", "/images/json");
  return {
    others,
    tasks: tasks?.filter(({ user }) => user === "alice"),
    containers,
    volumes: volumes.Volumes.map(({ Name }) => Name).toSorted(),
    images: images.map(({ Id, RepoTags }) => [Id, RepoTags]),
    sessions: (await world.send("GET", "/sessions", { sid: alice })).json.length,
  };
}

test("the table says of every text of every request what it names", () => {
  const unlisted = probes().filter(({ named }) => named === undefined);
  assert.deepEqual(
    unlisted.map(({ route, part, path }) => `${route}: ${part} ${path.join(".")}`),
    [],
  );
  const listed = Object.entries(objectFields).flatMap(([route, fields]) =>
    Object.keys(fields).map((field) => `${route} ${field}`),
  );
  const there = new Set(probes().map(({ route, part, path }) => `${route} ${part} ${path.join(".")}`));
  assert.deepEqual(
    listed.filter((field) => !there.has(field)),
    [],
    "what is in the table is in a schema",
  );
});

test("OP-03, OP-04: what is another's is nobody's, however it is called and wherever it is named", async (context) => {
  const before = await picture();
  let asked = 0;
  for (const probe of probes()) {
    for (const text of foreign[probe.named] ?? []) {
      await refused(probe, text);
      asked++;
    }
  }
  assert.deepEqual(await picture(), before);
  context.diagnostic(`${asked} requests`);
});

async function refused(probe: Probe, text: string): Promise<void> {
  const { method, path, body } = requestOf(probe, text);
  const answer = await world.send(method, path, { sid: bob, ...(body !== undefined && { body }) });
  const where = `${probe.route} ${probe.part} ${probe.path.join(".")} = ${text}: ${answer.status} ${answer.text}`;
  assert.ok(!answer.text.includes(secret), where);
  for (const id of foreignIds) assert.ok(text.includes(id) || !answer.text.includes(id), where);
  if (answer.status !== 200) {
    const remote = probe.named === "image" ? [502] : [];
    assert.ok([400, 403, 404, 409, 501, ...remote].includes(answer.status), where);
    return;
  }
  // An image or a new volume's place that is none is found out by the task, or is a path like any other.
  assert.ok(probe.named === "image" || probe.named === "volume", where);
  await endsWithoutTheirs(answer.json, where);
}

async function endsWithoutTheirs({ id, name }: { id: number | string; name: string }, where: string): Promise<void> {
  const state = typeof id === "number" ? (await world.station.client.ended(id)).state : "completed";
  if (state === "error") return;
  const made = (await listContainers()).find(({ Names }) => Names.includes(`/${name}`));
  assert.ok(made, where);
  const theirs = (await Promise.all(foreignIds.map(inspect))).flatMap(({ Mounts }) => Mounts.map(({ Name }) => Name));
  const { Mounts } = await inspect(made.Id);
  for (const { Name } of Mounts) assert.ok(Name !== undefined && !theirs.includes(Name), where);
  await dockerApi("DELETE", `/containers/${made.Id}?force=1&v=1`);
}

test("one's own container is found by its full id, its exact name and the beginning of its id", async () => {
  const own = (await listContainers()).find(({ Names }) => Names.includes("/foreign-own"))?.Id ?? "";
  for (const text of [own, "foreign-own", own.slice(0, 12), own.slice(0, 40)]) {
    const at = `/container/docker/${text}`;
    for (const [method, path] of [
      ["GET", at],
      ["GET", `${at}/inspect`],
      ["GET", `${at}/logs`],
      ["GET", `${at}/all`],
      ["GET", `/container/${text}`],
      ["GET", `/container/docker/getid/${text}`],
      ["GET", `/event/wait/docker/${text}/running`],
      ["POST", `${at}/pause`],
      ["POST", `${at}/unpause`],
      ["PUT", `${at}/autostart/off`],
    ] as const) {
      const { status, text: said } = await world.send(method, path, { sid: bob });
      assert.equal(status, 200, `${method} ${path}: ${said}`);
      assert.ok(/logs|all|autostart/.test(path) || said.includes(own), `${method} ${path}: ${said}`);
    }
    const exec = await world.send("POST", `${at}/exec`, { sid: bob, body: { command: ["true"] } });
    assert.equal(exec.json.exitCode, 0, exec.text);
    const user = await make(bob, "foreign-user", { volume: { container: [text] }, links: { [text]: "db" } });
    const { HostConfig, Mounts } = await inspect(user);
    assert.deepEqual(HostConfig.VolumesFrom, [own], "the engine is given the full id");
    assert.deepEqual(HostConfig.Links, ["/foreign-own:/foreign-user/db"]);
    assert.deepEqual(
      Mounts.map(({ Name }) => Name),
      (await inspect(own)).Mounts.map(({ Name }) => Name),
    );
    const shown = await world.send("GET", `/container/docker/${user}/all`, { sid: bob });
    assert.deepEqual(shown.json.volume.container, ["foreign-own"]);
    assert.equal((await world.send("DELETE", `/container/docker/${user}?force=true`, { sid: bob })).status, 200);
  }
});

test("a create that is repeated by its key shows what it made, and not another's container that has the name by now", async () => {
  const how = { body: { ...image, name: "foreign-again", command: stays }, headers: { "idempotency-key": "again" } };
  const first = await world.send("POST", "/container", { sid: bob, ...how });
  assert.equal(first.status, 200, first.text);
  assert.equal((await world.send("POST", "/container", { sid: bob, ...how })).json.id, first.json.id);
  assert.equal((await world.send("DELETE", "/container/docker/foreign-again?force=true", { sid: bob })).status, 200);
  await make(alice, "foreign-again");
  assert.equal((await world.send("POST", "/container", { sid: bob, ...how })).status, 404);
});
