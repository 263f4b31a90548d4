import type { SystemInfo } from "../api/system.ts";
import type { Inventory } from "../inventory/inventory.ts";
import type { RegistryStore } from "../storage/registry-store.ts";
import type { TaskRow, TaskStore } from "../storage/task-store.ts";
import { zipOf } from "../util/zip.ts";
import { createRedactor, secretsInRequest } from "./redactor.ts";
import type { Secrets } from "./secrets.ts";
import type { Download } from "./services.ts";

const maxTasks = 1000;

export interface ReportDeps {
  inventory: Inventory;
  tasks: TaskStore;
  registries: RegistryStore;
  secrets: Secrets;
  /** Without secrets. */
  configuration: Readonly<Record<string, unknown>>;
  /** The last lines of the log. */
  recentLines: () => readonly string[];
}

/** The file for a bug report. */
export interface Report {
  make(system: SystemInfo): Promise<Download>;
}

/**
 * Requests of tasks are left out, and every secret that the station knows is struck out of the rest: an engine or a
 * registry may have repeated one in its error.
 */
export function createReport(deps: ReportDeps): Report {
  const { inventory, tasks, configuration, recentLines } = deps;

  async function listed(): Promise<TaskRow[]> {
    const rows = await tasks.list({ kind: null, limit: maxTasks, before: null });
    if (rows !== "too_large") return rows;
    const fewer = await tasks.list({ kind: null, limit: maxTasks / 50, before: null });
    return fewer === "too_large" ? [] : fewer;
  }

  return {
    async make(system) {
      const rows = await listed();
      const known = [...(await registryPasswords(deps)), ...rows.flatMap((row) => secretsInRequest(row.params))];
      const redact = createRedactor(known);
      const text = (value: unknown): string => redact(`${JSON.stringify(value, null, 2)}\n`);
      const files = {
        "versions.json": text({ ...system.version, node: process.version, made: new Date().toISOString() }),
        "system.json": text(system),
        "configuration.json": text(configuration),
        "engines.json": text(engineStates(inventory)),
        "tasks.json": text(rows.map(withoutRequest)),
        "log.txt": redact(`${recentLines().join("\n")}\n`),
      };
      return { name: "gantry-report.zip", type: "application/zip", content: zipOf(files) };
    },
  };
}

async function registryPasswords({ registries, secrets }: ReportDeps): Promise<string[]> {
  return (await registries.list()).flatMap(({ name, password }) => {
    try {
      return [secrets.open(password, `registry ${name}`)];
    } catch {
      // A damaged one was never sent anywhere.
      return [];
    }
  });
}

function engineStates(inventory: Inventory): unknown[] {
  return inventory.views().map((view) => ({
    type: view.engine.type,
    available: view.available(),
    capabilities: view.engine.capabilities,
    containers: [...view.containers()].map(({ id, name, state, image, ports }) => ({ id, name, state, image, ports })),
  }));
}

function withoutRequest(row: TaskRow): Partial<TaskRow> {
  const shown: Partial<TaskRow> = { ...row };
  delete shown.params;
  return shown;
}
