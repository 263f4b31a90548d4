import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { test, type TestContext } from "node:test";
import { portInUse, portOwner } from "../../src/services/planning/ports.ts";
import { freePort } from "../support/free-port.ts";

async function holdTcp(t: TestContext, host: string): Promise<number> {
  const port = await freePort();
  const server = createServer().listen({ port, host, ipv6Only: true });
  await once(server, "listening");
  t.after(() => server.close());
  return port;
}

async function holdUdp(t: TestContext, address: string): Promise<number> {
  const socket = createSocket({ type: address.includes(":") ? "udp6" : "udp4", ipv6Only: address.includes(":") });
  const port = await freePort();
  socket.bind({ port, address });
  await once(socket, "listening");
  t.after(() => socket.close());
  return port;
}

for (const [protocol, hold] of [["tcp", holdTcp] as const, ["udp", holdUdp] as const]) {
  for (const host of ["127.0.0.1", "0.0.0.0", "::1", "::"]) {
    test(`${protocol}: a program on ${host} has the port, and is named`, async (t) => {
      const port = await hold(t, host);
      assert.equal(await portInUse(protocol, port), true);
      assert.match(String(await portOwner(protocol, port)), new RegExp(`^.+ \\(process ${process.pid}\\)$`));
      const other = protocol === "tcp" ? "udp" : "tcp";
      assert.equal(await portInUse(other, port), false, "the other protocol's port is another");
      assert.equal(await portOwner(other, port), undefined);
    });
  }
}

test("a free port is free, also right after it was asked for", async () => {
  const port = await freePort();
  for (let i = 0; i < 20; i++) {
    assert.equal(await portInUse("tcp", port), false);
    assert.equal(await portInUse("udp", port), false);
  }
  assert.equal(await portOwner("tcp", port), undefined);
});

test("many ports at once, some of them taken", async (t) => {
  const taken = await Promise.all(Array.from({ length: 20 }, () => holdTcp(t, "127.0.0.1")));
  const free = await Promise.all(Array.from({ length: 20 }, () => freePort()));
  const answers = await Promise.all([...taken, ...free].map((port) => portInUse("tcp", port)));
  assert.deepEqual(answers, [...taken.map(() => true), ...free.map(() => false)]);
});
