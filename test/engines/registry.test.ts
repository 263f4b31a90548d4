import assert from "node:assert/strict";
import { test } from "node:test";

import { deviceNames, findDevice } from "../../src/engines/device-table.ts";
import { findEngines } from "../../src/engines/find-engines.ts";
import type { SystemImages } from "../../src/engines/system-images/system-images.ts";
import { fails } from "./engine-checks.ts";

/** Nothing is asked of the store to find an engine. */
const rest = { imageServer: "http://127.0.0.1:9", systemImages: {} as SystemImages };

test("an engine that is configured is there while it is down", async () => {
  for (const where of [{ docker: "unix:///absent/docker.sock" }, { dockerHost: "tcp://127.0.0.1:9" }]) {
    const [docker, ...others] = await findEngines({ ...rest, engines: ["docker"], ...where });
    assert.ok(docker && others.length === 0);
    assert.equal(docker.type, "docker");
    await fails(docker.info(), "engine_unavailable", where.docker ? /\/absent\/docker\.sock/ : /127\.0\.0\.1:9/);
  }
  assert.equal((await findEngines({ ...rest, engines: ["docker"] })).length, 1);
});

test("all that are asked for are there, whether or not they are installed; what is given says where", async () => {
  const where = { docker: "unix:///absent/docker.sock", lxdSocket: "/absent/lxd.socket", lxcPath: "/absent/lxc" };
  const found = await findEngines({ ...rest, ...where, engines: ["docker", "lxc", "lxd"] });
  assert.deepEqual(
    found.map(({ type }) => type),
    ["docker", "lxc", "lxd"],
  );
  await fails(found[2]?.info() as Promise<unknown>, "engine_unavailable", /\/absent\/lxd\.socket/);
  for (const engine of found) engine.close();
});

test("an engine that is not asked for is not there", async () => {
  assert.deepEqual(await findEngines({ ...rest, engines: [], docker: "unix:///absent/docker.sock" }), []);
});

test("an address that is none is refused at once", async () => {
  await assert.rejects(findEngines({ ...rest, engines: undefined, docker: "/var/run/docker.sock" }), {
    code: "invalid",
  });
});

test("devices have the names of the original station", () => {
  const majors = (name: string) => findDevice(name)?.map(({ kind, major }) => `${kind}${major}`);
  assert.deepEqual(majors("video4linux_(81)"), ["c81"]);
  assert.deepEqual(majors("Input_(13)"), ["c13"]);
  assert.deepEqual(majors("Sound_and_ALSA_(14,_116)"), ["c14", "c116"]);
  assert.deepEqual(majors("ACM_USB_modems_(166)"), ["c166"]);
  assert.deepEqual(majors("TTY_(4)"), ["c4"]);
  for (const name of ["", "video4linux", "toString", "__proto__", "constructor"])
    assert.equal(findDevice(name), undefined);
  // The name says the majors: a slip in the table shows.
  for (const name of deviceNames) {
    const said = /\(([\d,_]+)\)$/.exec(name)?.[1]?.split(",_").map(Number);
    assert.deepEqual(
      findDevice(name)?.map(({ major }) => major),
      said,
      name,
    );
  }
});
