import { AppError } from "../../errors.ts";
import type { Container, Engine, EngineInfo } from "../engine.ts";
import type { Image } from "../images.ts";
import { createFakeContainers } from "./containers.ts";
import { createFakeEvents } from "./events.ts";
import { createFakeImages } from "./images.ts";
import type { FakeCall, FakeEngineOptions, FakeState } from "./state.ts";

/** An engine in memory that a test can look into and crash. */
export interface FakeEngine extends Engine {
  /** Ids of the containers whose network was set up, in order. */
  readonly attached: string[];
  /** What is there, for a test to look at or to change behind the station's back. */
  readonly state: { containers: Map<string, Container>; images: Map<string, Image> };
  /** Stops answering: calls in flight and streams end, containers and images stay. */
  crash(): void;
  /** Ends all calls as `crash` does, and answers again. */
  restart(): void;
}

/** Returns an engine in memory, for speed in unit tests; it passes the suite of the real ones. */
export function createFakeEngine(options: FakeEngineOptions = {}): FakeEngine {
  const state: FakeState = {
    containers: new Map(),
    specs: new Map(),
    images: new Map(),
    networks: new Map(),
    serial: 0,
    life: new AbortController(),
  };
  const events = createFakeEvents(state);
  const attached: string[] = [];
  const call = createCaller(options, state);
  const images = createFakeImages({ options, state, call, announce: events.announce });

  function crash(): void {
    state.life.abort(unavailable());
  }

  function restart(): void {
    crash();
    state.life = new AbortController();
  }

  return {
    type: options.type ?? "docker",
    capabilities: {
      registries: true,
      hostNetwork: true,
      processOptions: true,
      engineVolumes: true,
      nameServers: true,
      publishedPorts: true,
      imagesInUse: true,
      makesDeviceNodes: true,
      commits: true,
      renamesRunning: true,
      sizes: false,
      reshapes: true,
      hostNames: false,
      local: true,
      ...options.capabilities,
    },
    containers: createFakeContainers({ state, call, announce: events.announce }),
    images,
    info: () =>
      call<EngineInfo>({ method: "info", subject: "" }, () => ({ version: "1.0.0-fake", storageDriver: "memory" })),
    events: events.subscribe,
    attachNetwork: (container, signal) =>
      call({ method: "attachNetwork", subject: container.id, signal }, () => void attached.push(container.id)),
    daemon: async () => undefined,
    recover: async () => undefined,
    close: () => undefined,
    attached,
    state,
    crash,
    restart,
  };
}

/** Runs a call as an engine does: refused when down, cut by a crash or the signal, `before` and `after` in their place. */
function createCaller(options: FakeEngineOptions, state: FakeState) {
  return async function call<T>(what: FakeCall, act: (cut: AbortSignal) => T | Promise<T>): Promise<T> {
    const cut = what.signal ? AbortSignal.any([state.life.signal, what.signal]) : state.life.signal;
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const stop = (): void => reject(state.life.signal.aborted || !what.signal?.aborted ? unavailable() : cancelled());
    cut.addEventListener("abort", stop, { once: true });
    if (cut.aborted) stop();
    const run = async (): Promise<T> => {
      await options.before?.(what);
      // A call that was cut before it began must not act.
      if (cut.aborted) return ended;
      const result = await act(cut);
      await options.after?.(what);
      return result;
    };
    try {
      return await (cut.aborted ? ended : Promise.race([run(), ended]));
    } finally {
      cut.removeEventListener("abort", stop);
    }
  };
}

/** Returns the `engine_unavailable` of an engine that is down. */
export function unavailable(): AppError {
  return new AppError("engine_unavailable", "The fake engine does not answer.");
}

function cancelled(): AppError {
  return new AppError("cancelled", "The call to the fake engine was stopped on request.");
}
