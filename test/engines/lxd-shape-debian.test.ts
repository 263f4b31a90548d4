import { after, before, test } from "node:test";

import type { Engine } from "../../src/engines/engine.ts";
import { createLxdHttp, type LxdHttp } from "../../src/engines/lxd/client/http.ts";
import { createLxdEngine } from "../../src/engines/lxd/lxd.ts";
import { startLxd } from "../support/lxd.ts";
import { patiently } from "../support/patiently.ts";
import { debianImages, nowhere } from "../support/system-images.ts";
import { containerSpec } from "./container-spec.ts";
import { booted } from "./debian-boot.ts";
import { holdsShape } from "./debian-shape.ts";
import { removeOwn } from "./engine-checks.ts";
import { inside } from "./shape-checks.ts";

/** Changes of a Debian with systemd, whose networkd and resolved have opinions of their own. */
const image = "debian/bookworm";
const foreign = "203.0.113.91";
let engine: Engine;
let http: LxdHttp;
before(async () => {
  const { socket } = await startLxd();
  http = createLxdHttp(socket);
  engine = createLxdEngine({ socket, imageServer: nowhere, systemImages: await debianImages() });
  await engine.images.pull(image, { signal: new AbortController().signal });
});
after(async () => {
  await removeOwn(engine);
  await engine.images.remove(image);
  engine.close();
  http.close();
});

test("a Debian's name, addresses and name servers are changed as it runs, and hold when LXD starts it again", async () => {
  const id = await engine.containers.create(containerSpec({ image }));
  const state = (action: string): Promise<unknown> => {
    return http.send({ method: "PUT", path: `/1.0/instances/${id}/state`, body: { action, force: true, timeout: 30 } });
  };
  const program = (...argv: string[]): Promise<string> => inside(engine, id, ...(argv as [string, ...string[]]));
  await engine.containers.start(id);
  await booted(program);
  // Its own, which are the image's: networkd drops foreign addresses where it is not told otherwise.
  await program(
    "sh",
    "-c",
    "rm -r /etc/systemd/networkd.conf.d; sed -i /KeepConfiguration/d /etc/systemd/network/80-*",
  );
  const first = { hostname: "first", addresses: [foreign], nameServers: ["192.0.2.53"] };
  const last = { hostname: "last", addresses: ["10.99.0.195", foreign], nameServers: ["192.0.2.54", "192.0.2.55"] };
  await engine.containers.reshape(id, first);
  await holdsShape(program, first, "10.99.0.1");
  await engine.containers.reshape(id, last);
  await holdsShape(program, last, "10.99.0.1");
  await state("restart");
  await patiently("its start", () => booted(program));
  await holdsShape(program, last, "10.99.0.1");
  await engine.containers.remove(id);
});
