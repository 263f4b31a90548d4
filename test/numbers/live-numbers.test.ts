import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createLiveNumbers, type NumberTimes, type Subject } from "../../src/numbers/live-numbers.ts";
import type { Meter, Reading } from "../../src/numbers/container-meter.ts";
import { createRates } from "../../src/numbers/rates.ts";
import { until } from "../support/daemon.ts";

const zero: Reading = { cpu: 0, memory: 0, rx: 0, tx: 0 };

test("a rate is computed over the time between two readings", () => {
  const rates = createRates({ cpu: 5e9, memory: 10, rx: 1000, tx: 0 }, 1000);
  assert.deepEqual(rates.numbers(), { cpu: 0, memory: 10, rx: 0, tx: 0 }, "a first reading is no rate");
  rates.add({ cpu: 6e9, memory: 20, rx: 5000, tx: 100 }, 3000);
  assert.deepEqual(rates.numbers(), { cpu: 0.5, memory: 20, rx: 2000, tx: 50 });
});

test("a counter that goes backwards gives no rate, and is the base of the next one", () => {
  const rates = createRates({ ...zero, rx: 1000 }, 0);
  rates.add({ ...zero, rx: 3000 }, 1000);
  rates.add({ ...zero, rx: 100 }, 2000);
  assert.equal(rates.numbers().rx, 2000);
  rates.add({ ...zero, rx: 600 }, 3000);
  assert.equal(rates.numbers().rx, 500);
});

test("readings that are too close together give no rate", () => {
  const rates = createRates(zero, 0);
  rates.add({ ...zero, cpu: 1e9, memory: 7 }, 1);
  assert.deepEqual(rates.numbers(), { ...zero, memory: 7 });
});

/** A kernel in memory, which counts how often each container was read. */
function world(context: TestContext, given: Partial<NumberTimes> = {}) {
  const running = new Map<string, { pid: number; network?: string; start: number }>();
  const reads = new Map<string, number>();
  const reported: string[] = [];
  const subject = (key: string, pid: number): Subject => ({
    key,
    id: key,
    pid,
    idInGroup: false,
    onGone: () => reported.push(key),
  });
  let gone = "";
  const open = ({ id, pid }: { id: string; pid: number }): Meter => {
    const { network, start } = running.get(id) ?? { start: 0 };
    const check = () => {
      if (gone === id) throw new Error("ENOENT");
    };
    check();
    return {
      process: { pid, start },
      network,
      read() {
        check();
        const count = (reads.get(id) ?? 0) + 1;
        reads.set(id, count);
        return { cpu: count * 1e7, memory: 5, rx: count * 1000, tx: 0 };
      },
      addresses: () => [`address of ${id}`],
    };
  };
  const subjects = () => [...running].map(([key, { pid }]) => subject(key, pid));
  const times = { interval: 20, idleInterval: 400, watchPeriod: 200, newPeriod: 0, ...given };
  const numbers = createLiveNumbers({ subjects, open, times });
  context.after(() => numbers.close());
  return { running, reads, reported, numbers, lose: (key: string) => void (gone = key) };
}

test("containers are sampled at every interval while they are watched, and seldom otherwise", async (context) => {
  const watchPeriod = 200;
  const { running, reads, numbers } = world(context, { watchPeriod, idleInterval: 600_000 });
  running.set("web", { pid: 7, network: "net:1", start: 1 });
  await until(() => reads.has("web"), 60_000);
  const seen = () => reads.get("web") ?? 0;
  const isSeldom = async () => {
    // Until what was under way, and the time of a watcher, are over.
    await sleep(watchPeriod + 200);
    const before = seen();
    await sleep(300);
    return seen() - before <= 1;
  };
  assert.ok(await isSeldom());
  const before = seen();
  const isWatched = () => {
    numbers.watch();
    return seen() >= before + 5;
  };
  assert.ok(await until(isWatched, 60_000));
  assert.ok(await isSeldom());
});

test("a restarted container does not get the numbers of its former process", async (context) => {
  const { running, numbers } = world(context);
  running.set("web", { pid: 7, network: "net:1", start: 1 });
  await until(() => numbers.get("web", 7) !== undefined, 60_000);
  assert.equal(numbers.get("web", 8), undefined);
  running.set("web", { pid: 8, network: "net:2", start: 2 });
  assert.ok(await until(() => numbers.get("web", 8) !== undefined, 60_000));
  assert.equal(numbers.get("web", 7), undefined);
  running.clear();
  assert.ok(await until(() => numbers.get("web", 8) === undefined, 60_000));
});

test("a container whose process is gone is reported once and has no numbers", async (context) => {
  const { running, reported, numbers, lose } = world(context);
  running.set("web", { pid: 7, network: "net:1", start: 1 });
  await until(() => numbers.get("web", 7) !== undefined, 60_000);
  numbers.watch();
  lose("web");
  assert.ok(await until(() => reported.includes("web"), 60_000));
  assert.equal(numbers.get("web", 7), undefined);
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.deepEqual(reported, ["web"], "its engine is not asked at every interval");
});

test("of several containers in one network namespace the first to start counts the traffic, in whatever order they are seen", async (context) => {
  const { running, numbers } = world(context);
  running.set("guest", { pid: 8, network: "net:1", start: 20 });
  running.set("owner", { pid: 7, network: "net:1", start: 10 });
  numbers.watch();
  assert.ok(await until(() => numbers.get("owner", 7)?.ipaddress.length === 1, 60_000));
  assert.ok(await until(() => numbers.get("guest", 8)?.ipaddress.length === 0, 60_000));
  assert.equal(numbers.get("guest", 8)?.rx, 0);
});
