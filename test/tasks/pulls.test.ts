import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeEngine } from "../../src/engines/fake/fake.ts";
import type { FakeCall } from "../../src/engines/fake/state.ts";
import { AppError } from "../../src/errors.ts";
import { createPulls } from "../../src/services/images/pulls.ts";
import { soon } from "./world.ts";

const reference = "reg.example/nginx:1";
const login = { username: "eva", password: "secret", serverAddress: "reg.example" };

/** An engine whose pulls end when the test says so. */
function world() {
  const begun: FakeCall[] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  /** Pulls whose connection is closed. */
  const closed = new Set<number>();
  const engine = createFakeEngine({ remote: { [reference]: { size: 1 } } });
  const images = {
    ...engine.images,
    async pull(name: string, options: Parameters<typeof engine.images.pull>[1]) {
      const number = begun.push({ method: "pull", subject: name, signal: options.signal }) - 1;
      const gate = (gates[number] = Promise.withResolvers<void>());
      options.onProgress?.({ percent: 10, text: "Download image:10%" });
      try {
        await gate.promise;
        options.signal.throwIfAborted();
        await engine.images.pull(name, options);
      } finally {
        closed.add(number);
      }
    },
  };
  const pulls = createPulls();
  const follow = (changes: { login?: typeof login } = {}) => {
    const controller = new AbortController();
    const seen: number[] = [];
    const onProgress = ({ percent }: { percent: number }) => void seen.push(percent);
    const request = { engine: { ...engine, images }, reference, onProgress, signal: controller.signal, ...changes };
    return { done: pulls(request), seen, cancel: () => controller.abort(new AppError("cancelled", "cancelled")) };
  };
  return { follow, begun, gates, closed, engine, aborted: (n: number) => begun[n]?.signal?.aborted };
}

test("two who want one image share one pull, and both see its progress, the later one what went before", async () => {
  const { follow, begun, gates, engine } = world();
  const first = follow();
  const second = follow();
  gates[0]?.resolve();
  await Promise.all([first.done, second.done]);
  assert.equal(begun.length, 1);
  assert.deepEqual(first.seen, second.seen);
  assert.ok(first.seen.includes(100));
  assert.ok(await engine.images.get(reference));
  const later = follow();
  gates[1]?.resolve();
  await later.done;
  assert.equal(begun.length, 2, "what is over is not joined");
});

test("one is cancelled: he stops at once, the other's pull goes on", async () => {
  const { follow, gates, aborted } = world();
  const first = follow();
  const second = follow();
  first.cancel();
  await assert.rejects(first.done, { code: "cancelled" });
  assert.equal(aborted(0), false);
  gates[0]?.resolve();
  await second.done;
  assert.equal(first.seen.includes(100), false);
});

test("the last one is cancelled: the pull is stopped, and his call is over only when the engine has let go", async () => {
  const { follow, gates, aborted, closed } = world();
  const first = follow();
  const second = follow();
  first.cancel();
  second.cancel();
  await assert.rejects(first.done, { code: "cancelled" });
  await soon(() => aborted(0) === true);
  let over = false;
  const settled = second.done.catch(() => undefined).then(() => (over = true));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(over, false);
  gates[0]?.resolve();
  await settled;
  assert.ok(closed.has(0));
  await assert.rejects(second.done, { code: "cancelled" });
});

test("a new one does not join what is being stopped, and the end of that one leaves it alone", async () => {
  const { follow, begun, gates, aborted } = world();
  const first = follow();
  first.cancel();
  await soon(() => aborted(0) === true);
  const second = follow();
  assert.equal(begun.length, 2);
  gates[0]?.resolve();
  await assert.rejects(first.done);
  const third = follow();
  assert.equal(begun.length, 2, "the second's pull can still be joined");
  gates[1]?.resolve();
  await Promise.all([second.done, third.done]);
});

test("a failure reaches all; the next one tries anew", async () => {
  const { follow, begun, gates } = world();
  const all = [follow(), follow()];
  gates[0]?.reject(new AppError("remote_failed", "no"));
  for (const { done } of all) await assert.rejects(done, { code: "remote_failed" });
  const next = follow();
  gates[1]?.resolve();
  await next.done;
  assert.equal(begun.length, 2);
});

test("other credentials do not share, and who is cancelled already begins nothing", async () => {
  const { follow, begun, gates } = world();
  const all = [follow(), follow({ login }), follow({ login: { ...login, password: "other" } }), follow({ login })];
  assert.equal(begun.length, 3);
  for (const gate of gates) gate.resolve();
  await Promise.all(all.map(({ done }) => done));
  const engine = createFakeEngine();
  const pull = createPulls()({
    engine,
    reference,
    onProgress: () => undefined,
    signal: AbortSignal.abort(new Error("gone")),
  });
  await assert.rejects(pull, /gone/);
});
