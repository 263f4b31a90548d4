import assert from "node:assert/strict";
import { test } from "node:test";

import { deviceNames, findDevice } from "../../src/engines/device-table.ts";
import { findEngines } from "../../src/engines/registry.ts";
import { fails } from "./engine-checks.ts";

test("an engine that is configured is there while it is down", async () => {
  for (const where of [{ docker: "unix:///absent/docker.sock" }, { dockerHost: "tcp://127.0.0.1:9" }]) {
    const [docker, ...others] = await findEngines({ engines: ["docker"], ...where });
    assert.ok(docker && others.length === 0);
    assert.equal(docker.type, "docker");
    await fails(docker.info(), "engine_unavailable", where.docker ? /\/absent\/docker\.sock/ : /127\.0\.0\.1:9/);
  }
  assert.equal((await findEngines({ engines: ["docker"] })).length, 1);
});

test("an engine that is not asked for is not there", async () => {
  assert.deepEqual(await findEngines({ engines: [], docker: "unix:///absent/docker.sock" }), []);
});

test("an address that is none is refused at once", async () => {
  await assert.rejects(findEngines({ engines: undefined, docker: "/var/run/docker.sock" }), { code: "invalid" });
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
