import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Task } from "../../src/api/task.ts";
import { dockerApi, removeContainers } from "../support/docker-cli.ts";
import { logOf } from "../support/activity-log.ts";
import { adminPassword, startStation, type TestStation } from "../support/station.ts";

/** The documented Docker requests, byte for byte, sent by curl as the document sends them. */
const createBody = `{
        "type": "docker",
        "repository": "dockerhub",
        "name": "dtest",
        "image": "ubuntu",
        "tag": "latest",
        "download": {
            "description": "I am description.",
            "location": "https://hub.docker.com/_/ubuntu/",
            "icon": "http://download.qnap.com/QPKG/images/QPKG/container/ubuntu_icon.png"
        }
    }`;
const downloadBody = `{
        "type": "docker",
        "repository": "dockerhub",
        "image": "busybox",
        "tag": "latest"
    }`;
const removeBody = `[
        {
            "type": "docker",
            "image": "busybox",
            "tag": "latest",
            "id": "fake_id"
        }
    ]`;

let station: TestStation;
before(async () => {
  station = await startStation();
});
after(async () => {
  await station.close();
  await removeContainers("dtest");
});

function curl(...args: string[]): string {
  const cookies = join(station.folder, "cookies.txt");
  return execFileSync("curl", ["-sq", "-b", cookies, ...args], { encoding: "utf8" });
}

function post(path: string, body: string): Task {
  return JSON.parse(curl("-XPOST", "-d", body, `${station.url}/container-station/api/v1/background/${path}`)) as Task;
}

/** The seed's answer to an accepted task, plus what the station adds to it. */
function assertAccepted(task: Task, expected: { category: string; name: string; params: unknown }): void {
  const { id, init, progress, ...rest } = task;
  assert.ok(Number.isInteger(id) && Math.abs(init - Date.now() / 1000) < 5);
  assert.equal(progress, -1);
  assert.deepEqual(rest, { deletable: false, detail_state: "", state: "waiting", user: "admin", ...expected });
}

test("login as documented: answer and cookie", () => {
  const answer = curl(
    "-i",
    "-XPOST",
    "-c",
    join(station.folder, "cookies.txt"),
    "-d",
    JSON.stringify({ username: "admin", password: adminPassword }),
    `${station.url}/container-station/api/v1/login`,
  );
  assert.match(answer, /^HTTP\/1.1 200 /);
  assert.match(answer, /^set-cookie: CS_SESS_ID=[^=;]+; Path=\/; HttpOnly; SameSite=Lax\r$/im);
  const { logintime, ...session } = JSON.parse(answer.slice(answer.indexOf("{"))) as Record<string, unknown>;
  assert.deepEqual(session, { anonymous: false, isAdmin: true, username: "admin" });
  assert.match(String(logintime), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
});

test("the seed's create makes a running container", async () => {
  const task = post("create", createBody);
  assertAccepted(task, { category: "create", name: "dtest", params: JSON.parse(createBody) as unknown });
  const ended = await station.client.ended(task.id);
  assert.equal(ended.error, undefined);
  const { id, init, start, end, ...rest } = ended;
  assert.ok(id === task.id && init <= (start ?? 0) && (start ?? 0) <= (end ?? 0));
  const params = JSON.parse(createBody) as unknown;
  assert.deepEqual(rest, {
    category: "create",
    deletable: false,
    detail_state: "",
    name: "dtest",
    params,
    progress: 100,
    result: 0,
    state: "completed",
    user: "admin",
  });
  const container = await dockerApi<{ Id: string; State: { Running: boolean }; Config: { Image: string } }>(
    "GET",
    "/containers/dtest/json",
  );
  assert.equal(container.State.Running, true);
  assert.equal(container.Config.Image, "ubuntu:latest");
  assert.deepEqual(await logOf(station, "dtest"), [
    "INFO Start to do background task (create, dtest)",
    `INFO Create container (docker, ${container.Id.slice(0, 12)}, dtest)`,
    "INFO Finished background task (create, dtest)",
  ]);
});

test("the seed's image_download, and the list of one category", async () => {
  const task = post("image_download", downloadBody);
  assertAccepted(task, {
    category: "image_download",
    name: "busybox:latest",
    params: JSON.parse(downloadBody) as unknown,
  });
  assert.equal((await station.client.ended(task.id)).state, "completed");
  const listed = JSON.parse(
    curl(`${station.url}/container-station/api/v1/background/?category=image_download`),
  ) as Task[];
  assert.deepEqual(
    listed.map(({ id }) => id),
    [task.id],
  );
  assert.equal(
    (await dockerApi<{ RepoTags: string[] }>("GET", "/images/busybox:latest/json")).RepoTags.includes("busybox:latest"),
    true,
  );
});

test("the seed's image_remove of an unknown id fails, and the tag stays", async () => {
  const task = post("image_remove", removeBody);
  assertAccepted(task, { category: "image_remove", name: "busybox:latest", params: JSON.parse(removeBody) as unknown });
  const ended = await station.client.ended(task.id);
  assert.equal(ended.state, "error");
  assert.equal(ended.result, 1);
  assert.match(String(ended.error), /no image with the id fake_id/);
  await dockerApi("GET", "/images/busybox:latest/json");
});

test("the whole list is newest first; DELETE clears what has ended and answers the ids ascending", () => {
  const listed = JSON.parse(curl("-XGET", `${station.url}/container-station/api/v1/background/`)) as Task[];
  const ids = listed.map(({ id }) => id);
  assert.deepEqual(
    ids,
    ids.toSorted((a, b) => b - a),
  );
  assert.equal(ids.length, 3);
  const deleted = JSON.parse(curl("-XDELETE", `${station.url}/container-station/api/v1/background/`)) as number[];
  assert.deepEqual(
    deleted,
    ids.toSorted((a, b) => a - b),
  );
  assert.equal(curl(`${station.url}/container-station/api/v1/background/`), "[]");
});

test("every prefix, with and without the trailing slash", () => {
  for (const prefix of ["/container-station/api/v1", "/containerstation/api/v1", "/api/v1"]) {
    for (const path of ["/background", "/background/"])
      assert.equal(curl("-w", "%{http_code}", `${station.url}${prefix}${path}`), "[]200");
  }
});

test("login_refresh, the sid in the query and as Bearer, logout", () => {
  const { url } = station;
  const sid = station.client.cookie().split("=")[1] as string;
  const refreshed = JSON.parse(curl(`${url}/api/v1/login_refresh`)) as Record<string, unknown>;
  assert.deepEqual(Object.keys(refreshed).sort(), ["anonymous", "isAdmin", "logintime", "username"]);
  const bare = (...args: string[]) =>
    execFileSync("curl", ["-sq", "-o", "/dev/null", "-w", "%{http_code}", ...args], { encoding: "utf8" });
  assert.equal(bare(`${url}/api/v1/background?sid=${sid}`), "200");
  assert.equal(bare("-H", `Authorization: Bearer ${sid}`, `${url}/api/v1/background`), "200");
  assert.equal(bare("-d", JSON.stringify({ sid }), `${url}/api/v1/login`), "200");
  assert.deepEqual(JSON.parse(curl("-XPUT", `${url}/api/v1/logout`)), { username: "admin" });
  assert.equal((JSON.parse(curl(`${url}/api/v1/background`)) as { error: { code: number } }).error.code, 401);
});
