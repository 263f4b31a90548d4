import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../src/errors.ts";
import {
  createImageReferences,
  registryUrl,
  taggedName,
  type ImageRequest,
} from "../../src/services/planning/image-reference.ts";
import type { RegistryCheck } from "../../src/services/planning/registry-check.ts";
import type { Secrets } from "../../src/services/secrets/secrets.ts";
import type { RegistryRow, RegistryStore } from "../../src/storage/registry-store.ts";

const row: RegistryRow = {
  id: 2,
  name: "mine",
  url: "https://registry.example.com",
  username: "",
  password: "",
  version: "",
  trustCertificate: false,
  isDefault: false,
  inside: false,
};

/** One registry, and a seal that shows what it was opened for. */
function references(registry: Partial<RegistryRow> = {}, place: RegistryCheck = { refusal: undefined, inside: false }) {
  const known = { ...row, ...registry };
  const store = { get: async (name: string) => (name === known.name ? known : undefined) } as RegistryStore;
  const secrets: Secrets = { seal: (plain) => plain, open: (sealed, context) => `${sealed} of ${context}` };
  return createImageReferences(store, secrets, async () => place);
}

const request: ImageRequest = { type: "docker", repository: "dockerhub", image: "ubuntu", tag: "latest" };
const mine: ImageRequest = { ...request, repository: "private", registry_name: "mine" };

test("where an image is", async () => {
  const { resolve } = references();
  assert.deepEqual(await resolve(request), { references: ["ubuntu:latest"], remote: true });
  assert.deepEqual(await resolve({ ...request, image: "library/ubuntu", registry_name: "mine" }), {
    references: ["library/ubuntu:latest"],
    remote: true,
  });
  const local = { ...request, repository: "local", image: "127.0.0.1:5000/x" };
  assert.deepEqual(await resolve(local), { references: ["127.0.0.1:5000/x:latest"], remote: false });
  assert.deepEqual(await resolve(mine), { references: ["registry.example.com/ubuntu:latest"], remote: true });
});

test("a login goes to its registry, and is opened for that registry", async () => {
  const { resolve } = references({ username: "me", password: "sealed", url: "http://10.0.0.1:5000" });
  assert.deepEqual(await resolve(mine), {
    references: ["10.0.0.1:5000/ubuntu:latest"],
    remote: true,
    login: { username: "me", password: "sealed of registry mine", serverAddress: "10.0.0.1:5000" },
  });
});

test("a registry is judged again before each pull", async () => {
  const ask = (registry: Partial<RegistryRow>, place: RegistryCheck) =>
    references(registry, place).assertReachable(mine);
  const forbidden = { code: "forbidden", details: { field: "registry_name" } };
  await ask({ inside: true }, { refusal: undefined, inside: true });
  await ask({ inside: true }, { refusal: undefined, inside: false });
  await ask({}, { refusal: undefined, inside: false });
  await assert.rejects(ask({}, { refusal: undefined, inside: true }), forbidden, "its name has come inside");
  await assert.rejects(ask({ inside: true }, { refusal: "port 1", inside: true }), forbidden);
  await references({}, { refusal: "port 1", inside: true }).assertReachable(request);
});

test("every registry's host is one that Docker takes for a host, so that no login goes to Docker Hub", async () => {
  const hosts: [url: string, host: string][] = [
    ["https://registry", "registry:443"],
    ["http://registry", "registry:80"],
    ["https://registry:5000", "registry:5000"],
    ["http://localhost", "localhost"],
    ["https://[::1]", "[::1]"],
    ["https://registry.example.com", "registry.example.com"],
  ];
  for (const [url, host] of hosts) {
    const source = await references({ url, username: "me" }).resolve(mine);
    assert.equal(source.references[0], `${host}/ubuntu:latest`, url);
    assert.equal(source.login?.serverAddress, host);
    // Docker's own rule.
    const [first = ""] = source.references[0].split("/");
    assert.ok(/[.:]/.test(first) || first === "localhost", url);
  }
});

test("an image that names a registry itself, and a registry that is none", async () => {
  const { resolve } = references();
  for (const image of ["evil.example.com/x", "127.0.0.1:2375/x", "localhost/x", "Host/x"]) {
    for (const repository of ["dockerhub", "private"]) {
      await assertInvalid(resolve({ ...mine, repository, image }), "image");
    }
  }
  const { registry_name: _, ...nameless } = mine;
  await assertInvalid(resolve(nameless), "registry_name");
  for (const registry_name of ["nobody", "__proto__", "Mine"])
    await assertInvalid(resolve({ ...mine, registry_name }), "registry_name");
  for (const repository of ["qnap", "lxd", "__proto__"])
    await assertInvalid(resolve({ ...request, repository }), "repository");
});

test("system images: the documents' repositories, and the names that each engine has for them", async () => {
  const { resolve } = references();
  const lxc: ImageRequest = { type: "lxc", repository: "qnap", image: "ubuntu-bionic", tag: "latest" };
  const lxd: ImageRequest = { type: "lxd", repository: "lxd", image: "ubuntu", tag: "bionic" };
  assert.deepEqual(await resolve(lxc), { references: ["ubuntu-bionic:latest"], remote: true });
  assert.deepEqual(await resolve({ ...lxc, repository: "local" }), {
    references: ["ubuntu-bionic:latest"],
    remote: false,
  });
  assert.deepEqual(await resolve(lxd), { references: ["ubuntu/bionic", "ubuntu"], remote: true });
  const fingerprint = "3b0756c73936";
  assert.deepEqual(await resolve({ ...lxd, fingerprint }), { references: [fingerprint], remote: true });
  for (const repository of ["dockerhub", "private", "__proto__"]) {
    await assertInvalid(resolve({ ...lxc, repository }), "repository");
    await assertInvalid(resolve({ ...lxd, repository }), "repository");
  }
  await assertInvalid(resolve({ ...lxc, repository: "lxd" }), "repository");
  await assertInvalid(resolve({ ...lxd, repository: "qnap" }), "repository");
  await assertInvalid(resolve({ ...lxc, fingerprint }), "fingerprint");
  await assertInvalid(resolve({ ...request, fingerprint }), "fingerprint");
  await assertInvalid(resolve({ ...lxd, registry_name: "mine" }), "registry_name");
  await assertInvalid(resolve({ ...lxd, image: "evil.example.com/x" }), "image");
});

test("an empty tag means latest, for every engine and in every repository", async () => {
  const { resolve } = references();
  const tag = "";
  const first = async (asked: Partial<ImageRequest>) => (await resolve({ ...request, tag, ...asked })).references[0];
  assert.equal(await first({}), "ubuntu:latest");
  assert.equal(await first({ repository: "local" }), "ubuntu:latest");
  assert.equal(await first({ ...mine, tag }), "registry.example.com/ubuntu:latest");
  assert.equal(await first({ type: "lxc", repository: "qnap" }), "ubuntu:latest");
  assert.equal(await first({ type: "lxd", repository: "lxd" }), "ubuntu/latest");
  assert.equal(taggedName({ image: "ubuntu", tag }), "ubuntu:latest");
});

test("a registry's URL in one spelling", () => {
  assert.equal(registryUrl("HTTPS://Example.COM:443/"), "https://example.com");
  assert.equal(registryUrl("http://example.com:8080"), "http://example.com:8080");
  for (const url of [
    "a b",
    "https://a/\tb",
    "file:///x",
    "https://a/b",
    "https://a?b",
    "https://u@a",
    "https:/a",
    "\\\\a",
    "https://a\u0085b",
  ]) {
    assert.throws(
      () => registryUrl(url),
      (error) => hasCode(error, "invalid") && error.details?.["field"] === "url",
      url,
    );
  }
});

async function assertInvalid(answer: Promise<unknown>, field: string): Promise<void> {
  await assert.rejects(answer, (error) => hasCode(error, "invalid") && error.details?.["field"] === field);
}
