import assert from "node:assert/strict";

import type { Container, Engine, EngineEvent } from "../../src/engines/engine.ts";
import type { PullProgress, RegistryLogin } from "../../src/engines/images.ts";
import { hasCode, type ErrorCode } from "../../src/errors.ts";
import { testStation } from "./container-spec.ts";

export async function pull(engine: Engine, reference: string, login?: RegistryLogin): Promise<PullProgress[]> {
  const steps: PullProgress[] = [];
  const onProgress = (progress: PullProgress): void => void steps.push(progress);
  await engine.images.pull(reference, { onProgress, signal: new AbortController().signal, ...(login && { login }) });
  return steps;
}

export function checkProgress(steps: PullProgress[]): void {
  const percents = steps.map(({ percent }) => percent);
  assert.deepEqual(
    percents,
    percents.toSorted((a, b) => a - b),
    "progress never goes back",
  );
  assert.equal(percents.at(-1), 100);
  for (const { percent, text } of steps)
    assert.equal(text, percent < 0 ? "Download image" : `Download image:${percent}%`);
}

export async function found(engine: Engine, id: string): Promise<Container> {
  const container = await engine.containers.getById(id);
  assert.ok(container, `container ${id} is there`);
  return container;
}

/** Starts it for real. */
export async function running(engine: Engine, id: string): Promise<Container> {
  await engine.containers.start(id);
  const container = await found(engine, id);
  assert.ok(container.pid > 0);
  return container;
}

export async function collect(
  events: AsyncIterable<EngineEvent>,
  look?: (event: EngineEvent) => void,
): Promise<EngineEvent[]> {
  const seen: EngineEvent[] = [];
  for await (const event of events) {
    seen.push(event);
    look?.(event);
  }
  return seen;
}

/** Also: the sentence ends, and shows no object. */
export async function fails(call: Promise<unknown>, code: ErrorCode, message: RegExp = /./): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    assert.ok(hasCode(error, code), `${code} expected, but: ${String(error)}`);
    assert.match(error.message, message);
    assert.match(error.message, /^[^{}]*\.$/);
    return true;
  });
}

export async function removeOwn(engine: Engine): Promise<void> {
  const all = await engine.containers.list();
  for (const { id, mark } of all) if (mark?.station === testStation) await engine.containers.remove(id);
}
