import assert from "node:assert/strict";
import { test } from "node:test";
import { readBoot, type Boot } from "../../src/host/boot.ts";
import { createStationClock } from "../../src/services/accounts/station-clock.ts";
import type { ClockMark } from "../../src/storage/clock-store.ts";
import { silentLog } from "../../src/util/log.ts";

const noon = 1_795_176_000_000;
const minute = 60_000;
const hour = 60 * minute;

/** A station that is started again and again, on a host whose clocks and boot a test sets: time passes only as it says. */
function host() {
  let mark: ClockMark | undefined;
  const boot: Boot = { id: "first", uptime: hour };
  const state = { wall: noon, steady: 0, boot };
  const store = { read: async () => mark, write: async (next: ClockMark) => void (mark = next) };
  const start = () =>
    createStationClock({
      store,
      boot: () => state.boot,
      wall: () => state.wall,
      steady: () => state.steady,
      log: silentLog,
    });
  /** Starts it once more, and returns how many minutes after noon its clock is. */
  const minutes = async () => {
    const clock = await start();
    const now = clock.now();
    assert.equal(clock.shown(now), state.wall);
    await clock.close();
    return (now - noon) / minute;
  };
  return { state, start, minutes };
}

test("at first, and while nobody touches it, the host's clock counts", async () => {
  const { state, minutes } = host();
  assert.equal(await minutes(), 0);
  state.wall += 5 * minute;
  state.boot = { id: "first", uptime: hour + 5 * minute };
  assert.equal(await minutes(), 5);
});

test("a clock that was set back while the station was down counts on by the time that the host was up", async () => {
  const { state, minutes } = host();
  await minutes();
  state.wall -= 3 * hour;
  state.boot = { id: "first", uptime: hour + 20 * minute };
  assert.equal(await minutes(), 20);
  state.boot = { id: "first", uptime: hour + 30 * minute };
  assert.equal(await minutes(), 30, "also at the next start");
});

test("after another boot at least its own length has passed, and more if the host's clock says so", async () => {
  const { state, minutes } = host();
  await minutes();
  state.wall -= 24 * hour;
  state.boot = { id: "second", uptime: 7 * minute };
  assert.equal(await minutes(), 7);
  state.wall = noon + 2 * hour;
  state.boot = { id: "third", uptime: minute };
  assert.equal(await minutes(), 120);
  state.boot = { id: "third", uptime: 0 };
  assert.equal(await minutes(), 120, "an uptime that went back is another boot");
});

test("while the station runs, a clock that is set back changes nothing, and one that is set ahead counts until it is set right", async () => {
  const { state, start, minutes } = host();
  const clock = await start();
  state.wall = noon - 5 * hour;
  assert.equal(clock.now(), noon);
  state.steady += 10 * minute;
  assert.equal(clock.now(), noon + 10 * minute, "it goes on by a clock that nobody sets");
  assert.equal(clock.shown(clock.now()), state.wall);
  state.wall = noon + 24 * 365 * hour;
  assert.equal(clock.now(), state.wall);
  await clock.close();
  state.wall = noon + 10 * minute;
  assert.equal(await minutes(), 10);
});

test("a station whose store cannot write starts, and has the host's time", async () => {
  const store = { read: async () => undefined, write: () => Promise.reject(new Error("full")) };
  const clock = await createStationClock({ store, boot: readBoot, wall: () => noon, log: silentLog });
  assert.ok(clock.now() - noon < minute);
  await clock.close();
});

test("this host says which boot it is in, and since when", () => {
  const boot = readBoot();
  assert.match(boot.id, /^[0-9a-f-]{36}$/);
  assert.ok(boot.uptime > 0 && Number.isInteger(boot.uptime));
});
