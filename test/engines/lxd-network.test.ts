import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { after, test } from "node:test";

import { createOperations } from "../../src/engines/lxd/client/operations.ts";
import { withAvailableParts } from "../../src/engines/lxd/process/unavailable-parts.ts";
import { endDnsmasq } from "../../src/setup/lxd/daemons.ts";
import { describeMissingNetworks } from "../../src/setup/lxd/networks.ts";
import { killLxd, lxdFolder, runLxd, runLxdAtOnce } from "../support/lxd.ts";
import { containerSpec } from "./container-spec.ts";
import { fails, running } from "./engine-checks.ts";
import { image, lxdBench } from "./lxd-bench.ts";

const { engine, http } = lxdBench();
after(runLxd);

/** Takes the port that the DHCP and DNS server of LXD's bridge needs. Returns what frees it. */
async function takePort(): Promise<() => Promise<void>> {
  const socket = createSocket("udp4");
  socket.bind(53, "10.99.0.1");
  await once(socket, "listening");
  return async () => {
    socket.close();
    await once(socket, "close");
  };
}

test("a container whose network LXD could not set up at its start is started when LXD has set it up", async () => {
  const spec = containerSpec({ image });
  await engine().containers.create(spec);
  await killLxd();
  await endDnsmasq(lxdFolder());
  const release = await takePort();
  await runLxdAtOnce();

  const told = await describeMissingNetworks(http().socket);
  assert.deepEqual(
    told.map((line) => /network (\w+), and tries again every minute/.exec(line)?.[1]),
    ["lxdbr0"],
  );
  const { name } = spec;
  const body = { action: "start", timeout: -1 };
  const act = () => createOperations(http()).run({ method: "PUT", path: `/1.0/instances/${name}/state`, body });
  const message = /^LXD could not set up its network lxdbr0, and tries again every minute\. LXD's log says why; /;
  await fails(withAvailableParts(http(), act, { patience: 1000 }), "engine_failed", message);
  await fails(engine().containers.start(name, AbortSignal.timeout(1000)), "cancelled");

  const starting = engine().containers.start(name);
  await release();
  await starting;
  await running(engine(), name);
  assert.deepEqual(await describeMissingNetworks(http().socket), []);
});
