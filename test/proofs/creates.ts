import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Task } from "../../src/api/task.ts";
import { until } from "../support/daemon.ts";
import { listContainers } from "../support/docker-cli.ts";
import type { TestStation } from "../support/station.ts";
import { inDatabase } from "../support/station-data.ts";

/** Sends one create with an idempotency key until it is acknowledged, whatever dies meanwhile. Answers the task's id. */
export async function createStubbornly(station: TestStation, body: object): Promise<number> {
  const headers = { "Idempotency-Key": randomUUID() };
  const end = Date.now() + 120_000;
  for (;;) {
    try {
      const answer = await station.client.send("POST", "/background/create", body, headers);
      if (answer.status === 200) return (answer.body as Task).id;
      assert.ok(answer.status === 503, `create answered ${answer.status} ${JSON.stringify(answer.body)}`);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
    }
    if (Date.now() > end) throw new Error("a create was never acknowledged");
    await sleep(50);
  }
}

/** Waits until no task is waiting or running. */
export async function settled(station: TestStation, patience = 240_000): Promise<Task[]> {
  const end = Date.now() + patience;
  for (;;) {
    const tasks = await station.client.tasks().catch(() => undefined);
    if (tasks?.every((task) => task.state === "completed" || task.state === "error")) return tasks;
    if (Date.now() > end)
      throw new Error(`tasks have not ended: ${JSON.stringify(tasks?.filter((task) => !task.end).slice(0, 3))}`);
    await sleep(100);
  }
}

/** What a station that was just killed was doing: the journal's last planned step of every running task. */
export function interruptedSteps(station: TestStation): string[] {
  const step = "SELECT name FROM task_step WHERE task = task.id AND state = 'planned' ORDER BY seq DESC LIMIT 1";
  const query = `SELECT kind, state, (${step}) AS step FROM task WHERE state IN ('running', 'undoing')`;
  const rows = inDatabase(station, (db) => db.prepare(query).all());
  return rows.map(
    (row) => `${String(row["kind"])}.${row["state"] === "undoing" ? "undo" : String(row["step"] ?? "claimed")}`,
  );
}

/** One running container per acknowledged task, bearing its mark; nothing else of the station; every task completed. */
export async function assertOneContainerEach(
  tasks: readonly Task[],
  acknowledged: readonly number[],
  prefix: string,
): Promise<void> {
  assert.deepEqual(
    tasks.map(({ id }) => id).sort((a, b) => a - b),
    [...acknowledged].sort((a, b) => a - b),
    "tasks = acknowledged ones",
  );
  assert.deepEqual(
    tasks.filter(({ state }) => state !== "completed").map(({ id, error }) => ({ id, error })),
    [],
    "every task completed",
  );
  const containers = (await listContainers()).filter(({ Names }) =>
    Names.some((name) => name.startsWith(`/${prefix}`)),
  );
  const names = new Set(containers.map(({ Names }) => Names[0]?.slice(1)));
  assert.equal(names.size, containers.length);
  assert.deepEqual(names, new Set(tasks.map(({ name }) => name)), "one container per task, nothing left over");
  assert.deepEqual(
    containers.filter(({ State }) => State !== "running").map(({ Names, State }) => [Names, State]),
    [],
    "all run",
  );
  const marks = containers.map(({ Labels }) => Number(Labels["gantry.task"]?.split("/")[1])).sort((a, b) => a - b);
  assert.deepEqual(
    marks,
    [...acknowledged].sort((a, b) => a - b),
    "each bears its own task's mark",
  );
}

/** Every process that containerd keeps for a container belongs to one that Docker knows: nothing runs on unseen. */
export async function assertNoStrayProcesses(): Promise<void> {
  const known = new Set((await listContainers()).map(({ Id }) => Id));
  const strays = () => shimmedContainers().filter((id) => !known.has(id));
  assert.ok(
    await until(() => strays().length === 0, 60_000),
    `containers that Docker does not know: ${strays().join(" ")}`,
  );
}

function shimmedContainers(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const argv = readCommand(pid);
      return argv[0]?.includes("containerd-shim") ? [argv[argv.indexOf("-id") + 1] ?? ""] : [];
    });
}

function readCommand(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0");
  } catch {
    return [];
  }
}
