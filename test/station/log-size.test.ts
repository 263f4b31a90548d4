import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openWorld, type World } from "../attacks/sender.ts";
import { whileDown } from "../support/station-data.ts";

const rows = 300_000;
const longText = 400;
const mebibyte = 1 << 20;

let world: World;
before(async () => {
  world = await openWorld();
  const fill = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
    INSERT INTO audit (host, ts, level, category, user, address, action, target, result, message)
    SELECT (SELECT host FROM worker), ${Date.now()}, 'INFO', 'system', 'many', '', 'x', '', 'done', printf('%.*c', ${longText}, 'm') FROM n`;
  await whileDown(world.station, (db) => db.exec(fill));
});
after(() => world.station.close());

const status = () => readFileSync(`/proc/${world.station.pid()}/status`, "utf8");
const memory = (field: "VmHWM" | "VmRSS") => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status())?.[1]) * 1024;

async function open(path: string): Promise<IncomingMessage> {
  const request = get(`${world.station.url}/api/v1${path}`, { headers: { cookie: `CS_SESS_ID=${world.admin}` } });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response;
}

/** How many line ends come, and how many bytes. */
async function count(response: IncomingMessage): Promise<{ lines: number; bytes: number }> {
  const found = { lines: 0, bytes: 0 };
  for await (const chunk of response as AsyncIterable<Buffer>) {
    found.bytes += chunk.length;
    for (const byte of chunk) if (byte === 10) found.lines++;
  }
  return found;
}

test("LG-03: a long log goes out at the reader's pace, and memory holds a small part of it", async (context) => {
  const { send, admin } = world;
  await send("GET", "/log", { sid: admin });
  writeFileSync(`/proc/${world.station.pid()}/clear_refs`, "5");
  const begun = memory("VmRSS");
  const response = await open("/log/export?user=many");
  // Nobody reads for a while: nothing may pile up.
  await sleep(1500);
  const piled = memory("VmHWM") - begun;
  const { lines, bytes } = await count(response);
  const grown = memory("VmHWM") - begun;
  const shown = (value: number) => Math.round(value / mebibyte);
  context.diagnostic(`${lines} lines, ${shown(bytes)} MiB; memory grew by ${shown(piled)}, then ${shown(grown)} MiB`);
  assert.equal(lines, rows + 1);
  assert.ok(bytes > rows * longText);
  assert.ok(grown < 64 * mebibyte, "it holds too much");
});

test("LG-03: a filter that finds nothing keeps nobody else waiting", async (context) => {
  const { send, admin } = world;
  const searched = count(await open("/log/export?text=nowhere"));
  let slowest = 0;
  const asked = await Promise.all(
    Array.from({ length: 20 }, async (_, n) => {
      await sleep(n * 10);
      const { status: code, took } = await send("GET", "/log?limit=1", { sid: admin });
      slowest = Math.max(slowest, took);
      return code;
    }),
  );
  assert.ok(asked.every((code) => code === 200));
  assert.equal((await searched).lines, 1);
  context.diagnostic(`the slowest of 20 others: ${Math.round(slowest)} ms`);
  assert.ok(slowest < 2000);
});

test("an export breaks off when its session ends", async () => {
  const viewer = await world.user("leaver", "viewer");
  const request = get(`${world.station.url}/api/v1/log/export`, { headers: { cookie: `CS_SESS_ID=${viewer}` } });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  await world.send("PUT", "/logout", { sid: viewer });
  await assert.rejects(count(response), /aborted/);
});

test("a clearing in the middle of an export ends it there, and takes no longer than a look", async (context) => {
  const { send, admin } = world;
  const response = await open("/log/export?user=many");
  const cleared = await send("DELETE", "/log", { sid: admin });
  assert.ok(cleared.json.records > rows);
  const { lines } = await count(response);
  context.diagnostic(`${cleared.json.records} cleared in ${Math.round(cleared.took)} ms, after ${lines} lines`);
  assert.ok(lines < rows);
  assert.ok(cleared.took < 3000);
  assert.equal((await count(await open("/log/export?user=many"))).lines, 1);
});
