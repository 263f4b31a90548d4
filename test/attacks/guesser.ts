import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { World } from "./sender.ts";

export interface Guesses {
  /** Answers by their status. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Milliseconds of each request that somebody else made meanwhile. */
  readonly others: readonly number[];
}

const guessers = 30;
const watchers = 4;

/** Guesses a user's password from one network, while an admin's page goes on asking. */
export async function guess(world: World, username: string, times: number): Promise<Guesses> {
  const others: number[] = [];
  const statuses = new Map<number, number>();
  let over = false;
  let next = 0;
  const watch = async (): Promise<void> => {
    while (!over) {
      const { status, took } = await world.send("GET", "/background", { sid: world.admin });
      assert.equal(status, 200);
      others.push(took);
      await sleep(5);
    }
  };
  const guessOn = async (): Promise<void> => {
    while (next < times) {
      const { status } = await world.login(username, `guess ${next++}`, "127.8.0.1");
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  const watching = Promise.all(Array.from({ length: watchers }, watch));
  await Promise.all(Array.from({ length: guessers }, guessOn)).finally(() => (over = true));
  await watching;
  return { statuses, others };
}
