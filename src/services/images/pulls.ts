import { AppError } from "../../errors.ts";
import type { Engine } from "../../engines/engine.ts";
import type { PullProgress, RegistryLogin } from "../../engines/images.ts";

export interface PullRequest {
  /** The engine that pulls. */
  engine: Engine;
  /** The image's reference. */
  reference: string;
  /** Login at the registry; absent: none. */
  login?: RegistryLogin | undefined;
  /** Is called as the pull advances. */
  onProgress: (progress: PullProgress) => void;
  /** Takes this caller out of the pull. */
  signal: AbortSignal;
}

interface SharedPull {
  done: Promise<void>;
  last: PullProgress | undefined;
  followers: Set<(progress: PullProgress) => void>;
  controller: AbortController;
}

export type Pulls = ReturnType<typeof createPulls>;

/**
 * Makes the function that pulls images. An image that several tasks want is pulled once, and all of them see the progress; the pull is
 * stopped when the last of them is cancelled. Pulls with different credentials are not shared.
 */
export function createPulls() {
  const running = new Map<string, SharedPull>();

  function begin(key: string, { engine, reference, login }: PullRequest): SharedPull {
    const controller = new AbortController();
    const followers = new Set<(progress: PullProgress) => void>();
    const pull: SharedPull = { done: Promise.resolve(), last: undefined, followers, controller };
    const onProgress = (progress: PullProgress) => {
      pull.last = progress;
      for (const follower of followers) follower(progress);
    };
    const { signal } = controller;
    pull.done = engine.images
      .pull(reference, { ...(login && { login }), onProgress, signal })
      .then(() => assertThere(engine, reference, signal))
      .finally(() => {
        if (running.get(key) === pull) running.delete(key);
      });
    pull.done.catch(() => undefined);
    running.set(key, pull);
    return pull;
  }

  return async function pull(request: PullRequest): Promise<void> {
    const { engine, reference, login, onProgress, signal } = request;
    signal.throwIfAborted();
    const key = JSON.stringify([engine.type, reference, login ?? null]);
    const shared = running.get(key) ?? begin(key, request);
    shared.followers.add(onProgress);
    if (shared.last) onProgress(shared.last);
    const left = Promise.withResolvers<never>();
    const leave = () => left.reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    try {
      await Promise.race([shared.done, left.promise]);
    } catch (error) {
      shared.followers.delete(onProgress);
      if (signal.aborted && shared.followers.size === 0) {
        // No task may join a pull that is being stopped; and it is over only when the engine's connection is closed.
        if (running.get(key) === shared) running.delete(key);
        shared.controller.abort();
        await shared.done.catch(() => undefined);
      }
      throw error;
    } finally {
      signal.removeEventListener("abort", leave);
      shared.followers.delete(onProgress);
    }
  };
}

/** Throws if the engine does not have the image: an end without an error does not prove that it has. */
async function assertThere({ type, images }: Engine, reference: string, signal: AbortSignal): Promise<void> {
  if (await images.get(reference, signal)) return;
  const message = `The pull of ${reference} ended without an error, but ${type} has no such image.`;
  throw new AppError("engine_failed", message);
}
