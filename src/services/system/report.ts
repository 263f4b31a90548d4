import type { SystemInfo } from "../../api/system.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import type { RegistryStore } from "../../storage/registry-store.ts";
import { readTaskPages } from "../../storage/task-pages.ts";
import type { TaskRow, TaskStore } from "../../storage/task-store.ts";
import { zipOf } from "../../util/zip.ts";
import { createRedactor, secretsInRequest } from "../secrets/redactor.ts";
import type { Secrets } from "../secrets/secrets.ts";
import type { Download } from "../contract/services.ts";

const maxTasks = 1000;
/** Characters of requests whose secrets are looked for: tasks beyond are left out. */
const maxRequests = 8 << 20;

export interface ReportDeps {
  /** The engines and what is known of their containers. */
  inventory: Inventory;
  /** The store of tasks. */
  tasks: TaskStore;
  /** The store of registries. */
  registries: RegistryStore;
  /** Seals and opens what must be kept and never shown. */
  secrets: Secrets;
  /** Without secrets. */
  configuration: Readonly<Record<string, unknown>>;
  /** The last lines of the log. */
  recentLines: () => readonly string[];
}

/** The file for a bug report. */
export interface Report {
  /** Makes the zip. */
  make(system: SystemInfo): Promise<Download>;
}

/**
 * Requests of tasks are left out, and every secret that the station knows is struck out of the rest: an engine or a
 * registry may have repeated one in its error.
 */
export function createReport(deps: ReportDeps): Report {
  const { inventory, tasks, configuration, recentLines } = deps;

  /** The latest tasks, without their requests; the secrets of those come apart. */
  async function latestTasks(): Promise<{ rows: Partial<TaskRow>[]; secrets: string[] }> {
    const latest: { rows: Partial<TaskRow>[]; secrets: string[] } = { rows: [], secrets: [] };
    let size = 0;
    for await (const rows of readTaskPages(tasks, { kind: null, limit: maxTasks, before: null })) {
      for (const row of rows) {
        latest.rows.push(withoutHiddenWords(row));
        latest.secrets.push(...secretsInRequest(row.params));
        size += row.params.length;
      }
      if (size > maxRequests) break;
    }
    return latest;
  }

  return {
    async make(system) {
      const { rows, secrets: inRequests } = await latestTasks();
      const known = [...(await registryPasswords(deps)), ...inRequests];
      const redact = createRedactor(known);
      const text = (value: unknown): string => redact(`${JSON.stringify(value, null, 2)}\n`);
      const files = {
        "versions.json": text({ ...system.version, node: process.version, made: new Date().toISOString() }),
        "system.json": text(system),
        "configuration.json": text(configuration),
        "engines.json": text(engineStates(inventory)),
        "tasks.json": text(rows),
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

function withoutHiddenWords(row: TaskRow): Partial<TaskRow> {
  const shown: Partial<TaskRow> = { ...row };
  delete shown.params;
  return shown;
}
