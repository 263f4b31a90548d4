import type { LogEntry } from "../../api/log.ts";
import { invalid } from "../../errors.ts";
import {
  auditCategories,
  auditLevels,
  type AuditRow,
  type AuditStore,
  type AuditScan,
} from "../../storage/audit-store.ts";
import { listAudit } from "../../storage/audit-pages.ts";
import { csvLine } from "../../util/csv.ts";
import { printable } from "../../util/printable.ts";
import type { LogFilter } from "../contract/account-services.ts";
import { actOf, entryOf } from "../audit/audit.ts";
import { authorize } from "../access/policy.ts";
import type { Caller, LogService } from "../contract/services.ts";
import type { Sessions } from "../accounts/sessions.ts";

const defaultLimit = 20;
/** Rows that an export looks at in one go: few enough to be forgotten at once, where thousands would pile up as garbage. */
const span = 250;

/** Makes the service that reads and clears the activity log. */
export function createLogService(sessions: Sessions, store: AuditStore): LogService {
  /** Goes on where it stopped, so that memory holds one stretch whatever the log's length and the reader's speed. */
  async function* lines(caller: Caller, filter: AuditScan["filter"]): AsyncGenerator<Uint8Array> {
    const until = await store.newest();
    yield Buffer.from(csvLine(["Date", "Level", "Category", "User", "Message"]));
    for (let after = 0; ;) {
      authorize(sessions.authenticate(caller, true), "log:read");
      const { rows, last } = await store.scan({ filter, after, until, span });
      if (rows.length > 0) yield Buffer.from(rows.map(csvRow).join(""));
      if (last === null) return;
      after = last;
    }
  }

  return {
    async list(caller, { limit, offset, ...filter }) {
      authorize(sessions.authenticate(caller), "log:read");
      const page = { limit: limit ?? defaultLimit, offset: offset ?? 0 };
      return (await listAudit(store, { ...filterOf(filter), ...page })).map(logEntry);
    },
    async export(caller, filter) {
      authorize(sessions.authenticate(caller), "log:read");
      return { name: "gantry-log.csv", type: "text/csv; charset=utf-8", content: lines(caller, filterOf(filter)) };
    },
    async clear(caller) {
      const user = sessions.authenticate(caller);
      authorize(user, "log:clear");
      const entry = entryOf(actOf("log.clear", user, caller));
      return {
        records: await store.clear({ ...entry, level: "INFO", result: "done", message: "Clear all system logs" }),
      };
    },
  };
}

function filterOf({ start, end, user, level, category, text }: LogFilter): AuditScan["filter"] {
  return {
    start: start ? start * 1000 : undefined,
    end: end ? end * 1000 + 999 : undefined,
    user: user || undefined,
    levels: wordsOf(level, auditLevels, "level"),
    categories: wordsOf(category, auditCategories, "category"),
    text: text || undefined,
  };
}

function wordsOf(text: string | undefined, known: readonly string[], field: string): string[] | undefined {
  if (text === undefined || text === "") return undefined;
  const words = text.split(",").map((word) => word.trim());
  const strange = words.find((word) => !known.includes(word));
  if (strange !== undefined) throw invalid(field, `must be of ${known.join(", ")}, not ${printable(strange)}`);
  return words;
}

function logEntry({ ts, ...row }: AuditRow): LogEntry {
  return { ...row, ts: Math.floor(ts / 1000) };
}

/** The date is UTC with six digits of a second, as documented. */
function csvRow({ ts, level, category, user, message }: AuditRow): string {
  const date = `${new Date(ts).toISOString().slice(0, -1).replace("T", " ")}000`;
  return csvLine([date, level, category, user, message]);
}
