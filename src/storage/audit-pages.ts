import type { AuditFilter, AuditRow, AuditStore } from "./audit-store.ts";

/** Lists entries, newest first, without those that were cleared. Other calls get their turn between two parts of the log. */
export async function listAudit(audit: Pick<AuditStore, "list">, wanted: AuditFilter): Promise<AuditRow[]> {
  const { limit, offset, ...filter } = wanted;
  const found: AuditRow[] = [];
  let [before, skip]: [number | null, number] = [null, offset];
  do {
    const part: Awaited<ReturnType<AuditStore["list"]>> = await audit.list({
      filter,
      before,
      skip,
      limit: limit - found.length,
    });
    found.push(...part.rows);
    skip -= part.skipped;
    before = part.next;
  } while (before !== null);
  return found;
}

/** Deletes entries as `purge` does, in stretches. Returns their number. */
export async function purgeAudit(
  audit: Pick<AuditStore, "purge">,
  limits: Parameters<AuditStore["purge"]>[0],
): Promise<number> {
  let total = 0;
  for (;;) {
    const dropped = await audit.purge(limits);
    if (dropped === 0) return total;
    total += dropped;
  }
}
