import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../src/errors.ts";
import { verbs, type Verb } from "../../src/api/verbs.ts";
import { authorize, onlyOf, weaker, type EngineRequest } from "../../src/services/access/policy.ts";
import { roles, type Role } from "../../src/storage/account-store.ts";

/** Who may do what; a verb without a row does not compile. */
const all: readonly Role[] = ["admin", "operator", "viewer"];
const table: Record<Verb, readonly Role[]> = {
  "session:refresh": all,
  "session:end": all,
  "session:list": all,
  "session:remove": all,
  "token:list": all,
  "token:create": all,
  "token:remove": all,
  "password:change": all,
  "second-step:get": all,
  "second-step:change": all,
  "user:list": ["admin"],
  "user:create": ["admin"],
  "user:change": ["admin"],
  "user:remove": ["admin"],
  "task:list": all,
  "task:remove": ["admin", "operator"],
  "container:create": ["admin", "operator"],
  "image:download": ["admin", "operator"],
  "container:start": ["admin", "operator"],
  "container:stop": ["admin", "operator"],
  "container:restart": ["admin", "operator"],
  "container:pause": ["admin", "operator"],
  "container:unpause": ["admin", "operator"],
  "container:rename": ["admin", "operator"],
  "container:autostart": ["admin", "operator"],
  "container:commit": ["admin"],
  "container:change": ["admin", "operator"],
  "container:remove": ["admin", "operator"],
  "container:exec": ["admin", "operator"],
  "container:inspect": ["admin", "operator"],
  "container:logs": all,
  "container:settings": ["admin", "operator"],
  "container:list": all,
  "container:get": all,
  "image:remove": ["admin"],
  "registry:list": all,
  "registry:save": ["admin"],
  "registry:remove": ["admin"],
  "event:read": all,
  "log:read": ["admin", "viewer"],
  "log:clear": ["admin"],
  "system:read": all,
  "system:report": ["admin"],
  "certificate:read": ["admin"],
  "certificate:change": ["admin"],
  "certificate:export": ["admin"],
};

test("every verb for every role", () => {
  assert.deepEqual(Object.keys(table).toSorted(), [...verbs].toSorted());
  for (const verb of verbs) {
    for (const role of roles) {
      const act = () => authorize({ name: "somebody", role }, verb);
      if (table[verb].includes(role)) assert.doesNotThrow(act, `${role} ${verb}`);
      else
        assert.throws(
          act,
          (error) => hasCode(error, "forbidden") && /^somebody \(\w+\) may not do this: /.test(error.message),
          `${role} ${verb}`,
        );
    }
  }
});

test("a role or a verb that nobody knows may nothing", () => {
  for (const role of ["", "root", "Admin", "__proto__", "constructor"]) {
    for (const verb of verbs)
      assert.throws(
        () => authorize({ name: "x", role: role as Role }, verb),
        (error) => hasCode(error, "forbidden"),
        role,
      );
  }
  for (const verb of ["", "container:*", "has"]) {
    for (const role of roles)
      assert.throws(
        () => authorize({ name: "x", role }, verb as Verb),
        (error) => hasCode(error, "forbidden"),
        verb,
      );
  }
});

const bob = { name: "bob", role: "operator" } as const;

test("an operator's verbs reach his own things only; what is not his does not exist", () => {
  const mine = { owner: "bob", name: "task 1" };
  for (const owner of ["alice", undefined, "BOB", ""]) {
    const targets = [mine, { owner, name: "docker container web" }];
    assert.doesNotThrow(() => authorize({ name: "root", role: "admin" }, "task:remove", targets));
    assert.throws(
      () => authorize(bob, "task:remove", targets),
      (error) => hasCode(error, "not_found") && error.message === "There is no docker container web.",
    );
  }
  assert.doesNotThrow(() => authorize(bob, "task:remove", [mine]));
  assert.equal(onlyOf(bob, "task:list"), "bob");
  assert.equal(onlyOf({ name: "v", role: "viewer" }, "task:list"), undefined);
  assert.equal(onlyOf({ name: "v", role: "viewer" }, "session:list"), "v");
});

test("fields that reach beyond a container are an admin's, and a refusal names them", () => {
  const lan = { mode: "bridge", interface: "eth0", join: false, address: { by: "dhcp" } } as const;
  const fields: [field: string, request: EngineRequest][] = [
    ["privileged", { privileged: true }],
    ["resource.device", { devices: [{ majors: [{ kind: "c", major: 81 }], access: "r" }] }],
    ["gpu", { gpu: true }],
    ["network.mode", { network: { mode: "host" } }],
    ["network.mode", { network: lan }],
    ["registry_name", { login: true }],
  ];
  for (const [field, request] of fields) {
    assert.throws(
      () => authorize(bob, "container:create", [], request),
      (error) => hasCode(error, "forbidden") && error.details?.["field"] === field && error.message.includes(field),
      field,
    );
    assert.doesNotThrow(() => authorize({ name: "root", role: "admin" }, "container:create", [], request));
  }
  const harmless = { privileged: false, devices: [], gpu: false, network: { mode: "nat" }, login: false } as const;
  assert.doesNotThrow(() => authorize(bob, "container:create", [], harmless));
});

test("an operator looks at a privileged container of his own and ends it, and has nothing run in it", () => {
  const own = { owner: "bob", name: "lxc container web", privileged: true };
  const runs = ["start", "restart", "unpause", "autostart", "change", "exec", "create"] as const;
  for (const verb of runs) {
    assert.throws(
      () => authorize(bob, `container:${verb}`, [own]),
      (error) => hasCode(error, "forbidden") && error.details?.["field"] === "privileged",
      verb,
    );
    assert.doesNotThrow(() => authorize({ name: "root", role: "admin" }, `container:${verb}`, [own]));
  }
  for (const verb of ["get", "inspect", "logs", "settings", "stop", "pause", "rename", "remove"] as const)
    assert.doesNotThrow(() => authorize(bob, `container:${verb}`, [own]), verb);
});

test("a token may what its role may, but nothing of the account", () => {
  const token = { name: "root", role: "admin", token: 1 } as const;
  for (const verb of ["token:create", "password:change", "second-step:change", "session:remove"] as const)
    assert.throws(
      () => authorize(token, verb),
      (error) => hasCode(error, "forbidden"),
      verb,
    );
  assert.doesNotThrow(() => authorize(token, "registry:save"));
  const viewer = { name: "bob", role: "viewer", token: 2, ownerRole: "operator" } as const;
  assert.equal(onlyOf(viewer, "container:list"), "bob", "no more than its owner sees");
  assert.equal(onlyOf({ ...viewer, ownerRole: "admin" }, "container:list"), undefined);
  for (const verb of ["log:read", "container:create"] as const)
    assert.throws(
      () => authorize(viewer, verb),
      (error) => hasCode(error, "forbidden"),
      verb,
    );
  assert.deepEqual(
    [weaker("admin", "viewer"), weaker("viewer", "admin"), weaker("operator", "admin")],
    ["viewer", "viewer", "operator"],
  );
});
