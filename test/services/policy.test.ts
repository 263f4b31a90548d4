import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../src/errors.ts";
import { authorize, verbs, type Verb } from "../../src/services/policy.ts";
import { roles, type Role } from "../../src/storage/account-store.ts";

/** Who may do what; a verb without a row does not compile. */
const table: Record<Verb, readonly Role[]> = {
  "session:refresh": ["admin", "operator", "viewer"],
  "session:end": ["admin", "operator", "viewer"],
  "task:list": ["admin"],
  "task:remove": ["admin"],
  "container:create": ["admin"],
  "container:start": ["admin"],
  "container:stop": ["admin"],
  "container:restart": ["admin"],
  "container:pause": ["admin"],
  "container:unpause": ["admin"],
  "container:rename": ["admin"],
  "container:autostart": ["admin"],
  "container:commit": ["admin"],
  "container:remove": ["admin"],
  "container:exec": ["admin"],
  "container:inspect": ["admin"],
  "container:logs": ["admin"],
  "container:settings": ["admin"],
  "container:list": ["admin"],
  "container:get": ["admin"],
  "image:download": ["admin"],
  "image:remove": ["admin"],
  "registry:list": ["admin"],
  "registry:save": ["admin"],
  "registry:remove": ["admin"],
  "event:read": ["admin"],
  "system:read": ["admin", "operator", "viewer"],
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
