import assert from "node:assert/strict";
import { test } from "node:test";
import { hasImage, removeImage } from "../support/docker-cli.ts";
import { testEngines } from "../support/engines.ts";
import { mine, registryWorld } from "./registry-world.ts";

/** Pulls from a registry of one's own. */
const { registryAuth, registryLogin } = testEngines();
const { station, save, pull, watch } = registryWorld();

test("a pull by the registry's name, with the right password and the wrong one, also after a restart and a rename", async () => {
  const reference = `${registryAuth}/private/app:1`;
  await save("add", { ...mine, username: "test", password: "wrong" });
  const denied = await pull();
  assert.equal(denied.result, 1);
  assert.match(String(denied.error), new RegExp(`The registry ${registryAuth} refused access to ${reference}`));
  assert.equal(await hasImage(reference), false);

  await save("edit", { ...mine, ...registryLogin });
  assert.equal((await pull()).error, undefined);
  assert.equal(await hasImage(reference), true);
  await removeImage(reference);
  await save("edit", { ...mine, oldname: "mine", name: "renamed" });
  await station().stop();
  await station().start();
  assert.equal((await pull({ registry_name: "renamed" })).error, undefined, "kept, though not sent again");
  await removeImage(reference);

  await save("edit", { ...mine, name: "renamed", password: "" });
  assert.match(
    String((await pull({ registry_name: "renamed" })).error),
    /refused access/,
    "an empty password takes it away",
  );
});

test("a host that Docker would take for a name on Docker Hub is asked itself", async () => {
  await save("add", { ...mine, url: "http://localhost:5001", ...registryLogin });
  assert.equal((await pull()).error, undefined);
  await removeImage("localhost:5001/private/app:1");
  const asked: string[] = [];
  watch(({ when, path }) => void (when === "before" && path.includes("/images/create") && asked.push(path)));
  await save("edit", { ...mine, url: "http://intranet", ...registryLogin });
  assert.match(String((await pull()).error), /registry intranet:80/);
  const name = new URL(asked[0] ?? "", "http://docker").searchParams.get("fromImage");
  assert.equal(name, "intranet:80/private/app");
});
