import assert from "node:assert/strict";
import { test } from "node:test";
import { CreateRequest, ImageDownloadRequest } from "../../src/api/create.ts";
import { ImageRemoveItem } from "../../src/api/image-remove.ts";
import { RegistryRequest } from "../../src/api/registry.ts";
import { LoginRequest } from "../../src/api/session.ts";
import { AppError } from "../../src/errors.ts";
import { startServer } from "./harness.ts";
import { boundaries, fieldsOf, samples, withValue, type Field } from "./schema-fields.ts";

const image = { type: "docker", repository: "dockerhub", image: "ubuntu", tag: "latest" };
const create = { ...image, name: "dtest" };

const sharePath = "a path that begins with /SHARE, the name of a shared folder, without control characters";
const nameRule =
  "2 to 64 letters, digits, '_', '.' or '-', the first a letter or digit, and not 12 to 64 of 0-9 and a-f alone, as an id";
const restart = "an object of checked and required; whether it starts at boot is autostart";

test("a refusal names the field and says what it takes", async (t) => {
  const { send } = await startServer(t);
  const cases: [Record<string, unknown>, string][] = [
    [{ name: undefined }, "name is missing"],
    [{ privilegde: true }, "privilegde is not a known field"],
    [{ type: "vm" }, "type must be docker, lxc or lxd"],
    [{ tag: "-x" }, "tag must be an image tag, as latest; empty means latest"],
    [{ name: "a" }, `name must be ${nameRule}`],
    [{ name: "0123456789ab" }, `name must be ${nameRule}`],
    [{ name: "a".repeat(64) }, `name must be ${nameRule}`],
    [{ links: { web: "0123456789ab" } }, `links.web must be ${nameRule}`],
    [
      { links: { ["x".repeat(200)]: "ab" } },
      `links["${"x".repeat(61)}..."] must be a container's name, its id, or at least 12 digits of its id`,
    ],
    [{ name: 5 }, "name must be a text"],
    [{ privileged: "true" }, "privileged must be true or false"],
    [{ command: 1 }, "command must be a text or a list"],
    [{ command: ["a", 1] }, "command[1] must be a text"],
    [{ environment: ["A=1", "B"] }, "environment[1] must be NAME=VALUE"],
    [
      { network: { mode: "container:web" } },
      "network.mode must be nat, host, bridge, empty, or the name of a bridge of this host or of a network of Docker",
    ],
    [{ network: { port: [[80, 80, "sctp"]] } }, "network.port[0][2] must be tcp or udp"],
    [
      {
        network: {
          port: [
            [80, 80, "tcp"],
            [0, 80, "tcp"],
          ],
        },
      },
      "network.port[1][0] must be from 1 to 65535",
    ],
    [{ network: { port: [[80, 1.5, "tcp"]] } }, "network.port[0][1] must be a whole number"],
    [{ network: { port: [[80, 80]] } }, "network.port[0] must be [host port, container port, tcp or udp]"],
    [{ network: { port: [[80, 80, "tcp", 1]] } }, "network.port[0] must be [host port, container port, tcp or udp]"],
    [
      { network: { port: Array.from({ length: 1025 }, () => [80, 80, "tcp"]) } },
      "network.port must have at most 1024 entries",
    ],
    [{ network: { bridge: { ip: "1.2.3.256" } } }, "network.bridge.ip must be an IPv4 address"],
    [{ resource: { limit: { memory: "64m" } } }, "resource.limit.memory must be megabytes, more than 64, as 768m"],
    [{ resource: { device: [["allow", "x", "rr"]] } }, "resource.device[0][2] must be one or more of r, w, m"],
    [{ volume: { host: { "/Public/a": {} } } }, 'volume.host["/Public/a"].bind is missing'],
    [{ volume: { host: { "/a\n": { bind: "/x" } } } }, `volume.host["/a\\n"] must be ${sharePath}`],
    [{ volume: { host: { "Public/a": { bind: "/x" } } } }, `volume.host["Public/a"] must be ${sharePath}`],
    [{ volume: { host: [] } }, "volume.host must be an object: /SHARE/folder -> where it is mounted"],
    [{ volume: { host: { "/a": { bind: "x" } } } }, 'volume.host["/a"].bind must be an absolute path in the container'],
    [{ restart: "always" }, `restart must be an object: ${restart}`],
    [{ restart: { Name: "always", MaximumRetryCount: 5 } }, `restart.Name is not a known field: restart is ${restart}`],
    [{ restart: { checked: "always" } }, "restart.checked must be true or false"],
    [{ MaximumRetryCount: 5 }, "MaximumRetryCount is not a known field"],
    [{ changed: "network" }, "changed must be an object: which parts of the page's form were changed"],
    [{ image_from: "dockerhub" }, "image_from must be an object"],
    [{ image_from: { from: "nas", nas: "/Public/image.tar" } }, "image_from.nas must be empty"],
    [{ resource: { gpu: [{ id: 0 }] } }, "resource.gpu[0] must be a text"],
    [{ description: "x".repeat(4097) }, "description must have at most 4096 characters"],
  ];
  for (const [change, message] of cases) {
    const { status, json } = await send("/api/v1/background/create", {
      body: JSON.stringify({ ...create, ...change }),
    });
    assert.equal(status, 400, message);
    assert.equal(json.error.message, message);
    assert.ok(json.error.message.startsWith(json.error.field));
  }
});

test("a list's entries are named by their place", async (t) => {
  const { send } = await startServer(t);
  const item = { type: "docker", image: "a", tag: "b", id: "c" };
  const cases: [unknown, string][] = [
    [[item, { ...item, id: undefined }], "[1].id is missing"],
    [{ ...item, id: undefined }, "id is missing"],
    [[], "The body must have at least 1 entry."],
    [Array.from({ length: 1001 }, () => item), "The body must have at most 1000 entries."],
  ];
  for (const [body, message] of cases) {
    assert.equal(
      (await send("/api/v1/background/image_remove", { body: JSON.stringify(body) })).json.error.message,
      message,
    );
  }
});

test("nonsense in a query is refused", async (t) => {
  const { send, calls } = await startServer(t);
  for (const query of [
    "limit=0",
    "limit=-1",
    "limit=1e12",
    "limit=NaN",
    "limit=",
    "before=x",
    "before=-1",
    "limit=1&limit=2",
    "sid=a&sid=b",
  ]) {
    const { status, json } = await send(`/api/v1/background?${query}`);
    assert.equal(status, 400, query);
    assert.ok(json.error.message.startsWith(query.split("=")[0]!), json.error.message);
  }
  assert.equal(calls.length, 0);
});

interface Route {
  path: string;
  schema: object;
  valid: Record<string, unknown>;
}

const routes: Route[] = [
  { path: "background/create", schema: CreateRequest, valid: create },
  { path: "background/image_download", schema: ImageDownloadRequest, valid: image },
  {
    path: "background/image_remove",
    schema: ImageRemoveItem,
    valid: { type: "docker", image: "a", tag: "b", id: "c" },
  },
  {
    path: "registry",
    schema: RegistryRequest,
    valid: { method: "add", name: "a", url: "https://r", enableTrustCert: true },
  },
  { path: "login", schema: LoginRequest, valid: { username: "a", password: "b" } },
];

for (const { path, schema, valid } of routes) {
  test(`every field of ${path}: wrong type, null, missing, extra, boundaries`, async (t) => {
    const { send, calls } = await startServer(t);
    const post = (body: unknown) => send(`/api/v1/${path}`, { body: JSON.stringify(body) });
    const refused = async (body: unknown, field: Field, why: string) => {
      const { status, json } = await post(body);
      assert.equal(status, 400, `${field.name} ${why}: ${JSON.stringify(body).slice(0, 200)}`);
      assert.ok(String(json.error.field).startsWith(field.name), `${field.name} ${why}: ${json.error.message}`);
      assert.equal(calls.length, 0);
    };
    const accepted = async (body: unknown, field: Field) => {
      const { status, text } = await post(body);
      assert.equal(status, 200, `${field.name}: ${text}`);
      calls.length = 0;
    };
    for (const field of fieldsOf(schema)) {
      for (const value of samples(field)) await refused(withValue(valid, field, value), field, "of a wrong type");
      for (const { value, fits } of boundaries(field)) {
        if (fits) await accepted(withValue(valid, field, value), field);
        else await refused(withValue(valid, field, value), field, "out of bounds");
      }
      if (field.required) await refused(withValue(valid, field, undefined), field, "missing");
      if (field.closed)
        await refused(withValue(valid, field, { unknown_field: 1 }), { ...field, name: field.name }, "with an extra");
    }
  });
}

test("without a session a wrong request learns only that", async (t) => {
  const { send, answer } = await startServer(t);
  answer("sessions.check", () => {
    throw new AppError("unauthenticated", "Log in first.");
  });
  const wrong = { method: "POST", body: '{"nonsense": true}' };
  assert.equal((await send("/api/v1/background/create", wrong)).status, 401);
  assert.equal((await send("/api/v1/background/create", { ...wrong, body: "{" })).status, 401);
  assert.equal((await send("/openapi.json")).status, 401);
  assert.equal((await send("/api/v1/login", wrong)).status, 400);
});
