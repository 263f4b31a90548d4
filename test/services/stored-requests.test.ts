import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../src/errors.ts";
import type { KindDependencies } from "../../src/services/kinds/dependencies.ts";
import { taskKinds } from "../../src/services/kinds/table.ts";
import type { AnyTaskKind } from "../../src/services/kinds/task-kind.ts";

const target = { type: "docker", id: "0123456789ab", name: "web", incarnation: "12 345" };
const job = { ...target, container: "8a8d8a5c-0000-4000-8000-000000000000" };
const create = { type: "docker", repository: "dockerhub", name: "web", image: "nginx", tag: "1" };
const item = { type: "docker", image: "nginx", tag: "1", id: "0123456789ab" };

/** A request of each kind as released versions have stored it. An entry is never taken out. */
const stored: Readonly<Record<string, readonly object[]>> = {
  create: [create, { ...create, environment: ["A=b"], network: { mode: "nat", port: [[8080, 80, "tcp"]] } }],
  image_download: [{ type: "docker", repository: "dockerhub", image: "nginx", tag: "" }],
  image_pull: [{ type: "lxd", repository: "lxd", image: "ubuntu", tag: "bionic", fingerprint: "0123456789ab" }],
  image_remove: [item, [item, { ...item, tag: "2" }]],
  container_start: [target],
  container_stop: [target, { ...target, grace: 5 }],
  container_restart: [target, { ...target, grace: 0 }],
  container_pause: [target],
  container_unpause: [target],
  container_rename: [{ ...target, to: "other" }],
  container_autostart: [{ ...target, on: false }],
  container_commit: [{ ...target, reference: "web:1", author: "", message: "" }],
  container_remove: [{ ...target, keepVolumes: true, force: false }],
  openvz_create: [{ container: job.container, ostemplate: "debian", createdAt: 1_600_000_000_000, create }],
  openvz_update: [{ ...job, change: { cpuTime: 500 }, parameters: "{}", restarts: false }],
  openvz_remove: [job],
  openvz_start: [job, target],
  openvz_stop: [job],
  openvz_restart: [job],
};
const kinds: Readonly<Record<string, AnyTaskKind>> = taskKinds;
const none = {} as KindDependencies;

test("each kind of task reads the requests that earlier versions have stored", () => {
  for (const [name, requests] of Object.entries(stored)) {
    for (const request of requests) assert.ok(kinds[name]?.handlerOf(structuredClone(request), none), name);
  }
  assert.deepEqual(Object.keys(kinds).toSorted(), Object.keys(stored).toSorted(), "a kind has no example");
});

test("a request without a field that every version has stored fails its task, and is not carried out", () => {
  for (const [name, requests] of Object.entries(stored)) {
    for (const request of requests) {
      if (Array.isArray(request) || name === "image_remove") continue;
      const { [Object.keys(request)[0] ?? ""]: _first, ...rest } = request as Record<string, unknown>;
      assert.throws(
        () => kinds[name]?.handlerOf(rest, none),
        (error) => hasCode(error, "unsupported"),
        name,
      );
    }
  }
});

test("steps that earlier versions have written to journals can still be undone", () => {
  const operations = Object.values(kinds).flatMap(({ undo = [] }) => undo.map(({ op }) => op));
  assert.deepEqual(operations.toSorted(), ["openvz_forget", "release_folders", "remove_container"]);
});
