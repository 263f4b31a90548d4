import assert from "node:assert/strict";
import { test } from "node:test";
import type { CreateRequest } from "../../src/api/create.ts";
import type { Capabilities } from "../../src/engines/capabilities.ts";
import { hasCode } from "../../src/errors.ts";
import { refuseUnfit } from "../../src/services/planning/engine-support.ts";

const everything: Capabilities = {
  registries: true,
  hostNetwork: true,
  processOptions: true,
  engineVolumes: true,
  nameServers: true,
  publishedPorts: true,
  imagesInUse: true,
  makesDeviceNodes: true,
  commits: true,
  renamesRunning: true,
  sizes: true,
  reshapes: true,
  hostNames: false,
  local: true,
};
const nothing = Object.fromEntries(Object.keys(everything).map((flag) => [flag, flag === "hostNames"])) as unknown;

/** With all that asks for something. */
const asking: Record<string, Partial<CreateRequest>> = {
  entrypoint: { entrypoint: "sh" },
  command: { command: ["sh"] },
  user: { user: "nobody" },
  working_dir: { working_dir: "/" },
  environment: { environment: ["A="] },
  links: { links: { other: "alias" } },
  "network.mode": { network: { mode: "host" } },
  "network.dns": { network: { dns: ["192.0.2.1"] } },
  "network.expose_port": { network: { expose_port: [80] } },
  "volume.container": { volume: { container: ["other"] } },
  "volume.new": { volume: { new: ["/data"] } },
  name: { name: "under_score" },
};
const plain: CreateRequest = { type: "lxd", repository: "lxd", image: "ubuntu", tag: "bionic", name: "name-1" };

test("what asks for an ability that an engine has not is refused by its field", () => {
  for (const [field, request] of Object.entries(asking)) {
    refuseUnfit({ ...plain, ...request }, everything);
    assert.throws(
      () => refuseUnfit({ ...plain, ...request }, nothing as Capabilities),
      (error) => hasCode(error, "invalid") && error.details?.["field"] === field && error.message.includes("lxd"),
      field,
    );
  }
});

test("what asks for nothing, as the original page sends it, may stand", () => {
  const empty: Partial<CreateRequest> = {
    privileged: false,
    entrypoint: "",
    command: [],
    user: "",
    working_dir: "",
    environment: [],
    links: {},
    network: { mode: "nat", dns: [], expose_port: [] },
    volume: { container: [], new: [], host: {} },
  };
  refuseUnfit({ ...plain, ...empty }, nothing as Capabilities);
});

test("a name that must be a host name", () => {
  const refused = ["1a", "a_b", "a.b", "a-", `a${"b".repeat(63)}`];
  for (const name of refused) assert.throws(() => refuseUnfit({ ...plain, name }, nothing as Capabilities), name);
  for (const name of ["ab", "A1", "a-b", "a".repeat(63)]) refuseUnfit({ ...plain, name }, nothing as Capabilities);
});
