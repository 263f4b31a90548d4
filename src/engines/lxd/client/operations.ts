import { setTimeout as delay } from "node:timers/promises";

import { hasCode } from "../../../errors.ts";
import { cancelled, connectionFailure, refusal } from "../failures.ts";
import type { LxdHttp, LxdRequest } from "./http.ts";

/** What LXD works at; as in its API. */
export interface Operation {
  /** A UUID. */
  id: string;
  /** A word for `status_code`, as Success. */
  status: string;
  /** 200 = success, 400 and above = failure, below = still going. */
  status_code: number;
  /** Paths of what it works at, by kind. */
  resources: Record<string, string[]> | null;
  /** How far it is, or what it has made. */
  metadata: Record<string, unknown> | null;
  /** The reason of a failure; empty otherwise. */
  err: string;
}

/**
 * Changes of LXD are operations: begun by a request, waited for by another. All but downloads cannot be stopped once
 * they are begun, so they are waited for even when the signal aborts: when `run` has thrown `cancelled`, nothing of it
 * goes on.
 */
export interface Operations {
  /** Begins an operation and waits for its end. Throws what a failed one says; `cancelled` when the signal aborted. */
  run(request: LxdRequest, signal?: AbortSignal): Promise<void>;
  /** Begins an operation and returns it; undefined when it was done at once. Throws LXD's refusal. */
  begin(request: LxdRequest, signal?: AbortSignal): Promise<Operation | undefined>;
  /**
   * Waits for an operation's end, and returns it as it is then or when the milliseconds are over. Throws
   * `engine_unavailable` when LXD has lost it.
   */
  wait(id: string, patience: number): Promise<Operation>;
  /** Returns an operation as it is now. */
  look(id: string): Promise<Operation>;
  /** Throws what a failed operation says. */
  check(operation: Operation): void;
  /** Cancels an operation, if it still can be. */
  cancel(id: string): Promise<void>;
  /** Returns whether LXD works at this container now. */
  isBusy(name: string): Promise<boolean>;
  /** Waits until LXD has done what it does with this container; a moment when it does nothing. */
  waitUntilIdle(name: string): Promise<void>;
}

const waitAtOnce = 20_000;
const pause = 100;

/** Returns the operations of one LXD. */
export function createOperations(http: LxdHttp): Operations {
  async function begin(request: LxdRequest, signal?: AbortSignal): Promise<Operation | undefined> {
    if (signal?.aborted) throw cancelled();
    const { type, metadata } = await http.send<Operation>(request);
    return type === "async" ? metadata : undefined;
  }

  const look = (id: string): Promise<Operation> => ask({ path: `/1.0/operations/${id}` });

  function wait(id: string, patience: number): Promise<Operation> {
    const path = `/1.0/operations/${id}/wait?timeout=${Math.max(1, Math.round(patience / 1000))}`;
    return ask({ path, timeout: patience + 20_000 });
  }

  async function ask(request: LxdRequest): Promise<Operation> {
    try {
      return (await http.send<Operation>(request)).metadata;
    } catch (error) {
      // Ended operations are forgotten after seconds, and all of them with LXD's end.
      if (hasCode(error, "not_found")) throw connectionFailure(new Error("an operation was lost"), http.socket);
      throw error;
    }
  }

  /** Throws what a failed operation says; only 200 is a success. */
  function check({ status_code: status, status: word, err }: Operation): void {
    if (status !== 200) throw refusal(status, err || `the operation ended as ${word}`);
  }

  async function run(request: LxdRequest, signal?: AbortSignal): Promise<void> {
    let operation = await begin(request, signal);
    while (operation && operation.status_code < 200) operation = await wait(operation.id, waitAtOnce);
    if (operation) check(operation);
    if (signal?.aborted) throw cancelled();
  }

  async function cancel(id: string): Promise<void> {
    try {
      await http.send({ method: "DELETE", path: `/1.0/operations/${id}` });
    } catch (error) {
      // It has ended, or is past its download.
      if (hasCode(error, "engine_unavailable")) throw error;
    }
  }

  async function runningAt(name: string): Promise<Operation[]> {
    const all = await http.get<Record<string, Operation[]>>("/1.0/operations?recursion=1");
    const running = Object.values(all).flat();
    const path = `/1.0/instances/${name}`;
    return running.filter(
      (operation) => operation.status_code < 200 && operation.resources?.["instances"]?.includes(path),
    );
  }

  async function waitUntilIdle(name: string): Promise<void> {
    const running = await runningAt(name);
    if (running.length === 0) await delay(pause);
    for (const { id } of running) await wait(id, waitAtOnce);
  }

  return {
    run,
    begin,
    wait,
    look,
    check,
    cancel,
    waitUntilIdle,
    isBusy: async (name) => (await runningAt(name)).length > 0,
  };
}
