import type { DatabaseSync } from "node:sqlite";
import type { NewRegistry, RegistryRow, RegistryVerbs } from "../registry-store.ts";

/** The verbs of registries. */
export function createRegistryVerbs(db: DatabaseSync): RegistryVerbs {
  const columns = "id, name, url, username, password, version, trust_certificate, is_default, inside";
  const list = db.prepare(`SELECT ${columns} FROM registry ORDER BY id`);
  const get = db.prepare(`SELECT ${columns} FROM registry WHERE name = ?`);
  const insert = db.prepare(
    "INSERT INTO registry (name, url, username, password, version, trust_certificate, is_default, inside) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const update = db.prepare(
    `UPDATE registry SET name = ?, url = ?, username = ?, password = ?, version = ?, trust_certificate = ?, is_default = ?, inside = ?
     WHERE id = ?`,
  );
  const noDefault = db.prepare("UPDATE registry SET is_default = 0");
  const remove = db.prepare("DELETE FROM registry WHERE name = ?");

  const find = (name: string) => get.get(name) as Record<string, unknown> | undefined;
  const values = (row: NewRegistry) =>
    [
      row.name,
      row.url,
      row.username,
      row.password,
      row.version,
      Number(row.trustCertificate),
      Number(row.isDefault),
      Number(row.inside),
    ] as const;

  return {
    list: () => list.all().map(toRegistry),
    get(name) {
      const row = find(name);
      return row && toRegistry(row);
    },
    add(registry) {
      if (find(registry.name)) return "taken";
      if (registry.isDefault) noDefault.run();
      return { id: Number(insert.run(...values(registry)).lastInsertRowid) };
    },
    edit({ oldName, registry }) {
      const row = find(oldName);
      if (!row) return "unknown";
      if (registry.name !== oldName && find(registry.name)) return "taken";
      if (registry.isDefault) noDefault.run();
      update.run(...values(registry), row["id"] as number);
      return "done";
    },
    remove: (name) => remove.run(name).changes > 0,
  };
}

function toRegistry(row: Record<string, unknown>): RegistryRow {
  const { trust_certificate: trust, is_default: isDefault, inside, ...rest } = row;
  return { ...rest, trustCertificate: trust === 1, isDefault: isDefault === 1, inside: inside === 1 } as RegistryRow;
}
