import type { TestContext } from "node:test";
import { createFakeEngine, type FakeEngine } from "../../src/engines/fake/fake.ts";
import type { FakeCall } from "../../src/engines/fake/state.ts";
import type { Container } from "../../src/engines/engine.ts";
import { followEngine, type EngineView, type ViewTimes } from "../../src/inventory/engine-view.ts";
import { containerSpec } from "../engines/container-spec.ts";
import { soon } from "../tasks/world.ts";

export const image = "reg.example/base:1";

export interface ViewWorld {
  engine: FakeEngine;
  view: EngineView;
  /** What the listener was told, such as "started web", "removed web" and "resynced 2". */
  notices: string[];
  /** Calls to the engine, by method. */
  calls: Record<string, number>;
  /** Set by a test: holds or fails a call, before it was done or when its answer is on its way. */
  hooks: { before?: (call: FakeCall) => Promise<void> | void; after?: (call: FakeCall) => Promise<void> | void };
  /** Makes a container behind the view's back; answers its id. */
  make(name: string, start?: boolean): Promise<string>;
  /** As the view sees it: "name state", sorted. */
  seen(): string[];
  sees(...containers: string[]): Promise<void>;
}

const quick: ViewTimes = {
  resyncInterval: 600_000,
  pingInterval: 30,
  pingTimeout: 60,
  inspectTimeout: 1_000,
  minRetryDelay: 5,
  maxRetryDelay: 20,
  eventDelay: 5,
};

export async function followFake(context: TestContext, times: Partial<ViewTimes> = {}): Promise<ViewWorld> {
  const hooks: ViewWorld["hooks"] = {};
  const calls: Record<string, number> = {};
  const engine = createFakeEngine({
    remote: { [image]: { size: 1 } },
    before(call) {
      calls[call.method] = (calls[call.method] ?? 0) + 1;
      return hooks.before?.(call);
    },
    after: (call) => hooks.after?.(call),
  });
  await engine.images.pull(image, { signal: new AbortController().signal });
  const notices: string[] = [];
  const listener = {
    resynced: (_: unknown, containers: readonly Container[]) => void notices.push(`resynced ${containers.length}`),
    started: (_: unknown, { name }: Container) => void notices.push(`started ${name}`),
    removed: (_: unknown, { name }: Container) => void notices.push(`removed ${name}`),
  };
  const end = new AbortController();
  context.after(() => end.abort());
  const view = followEngine(engine, listener, end.signal, { ...quick, ...times });
  const seen = () => [...view.containers()].map(({ name, state }) => `${name} ${state}`).sort();
  return {
    engine,
    view,
    notices,
    calls,
    hooks,
    async make(name, start = true) {
      const id = await engine.containers.create(containerSpec({ name, image }));
      if (start) await engine.containers.start(id);
      return id;
    },
    seen,
    sees: (...containers) => soon(() => seen().join() === containers.join()),
  };
}
