import { hasCode, messageOf } from "../../errors.ts";
import type { AuditEntry, AuditLevel, AuditStore } from "../../storage/audit-store.ts";
import { printable } from "../../util/printable.ts";
import type { User } from "../access/policy.ts";
import type { Caller } from "../contract/services.ts";
import type { Log } from "../../util/log.ts";

/** An act for the audit log, without how it went. */
export interface Act {
  /** Name of the user; empty if the caller is not logged in. */
  user: string;
  /** Address of the peer. */
  address: string;
  /** What is done, in words, as `registry save`. */
  action: string;
  /** What it is done to, by name. */
  target?: string;
  /** The entry's message; absent: it is made of action and target. */
  message?: string | undefined;
}

export interface Audit {
  /** Writes an entry of what has been done. */
  done(act: Act, message: string): Promise<void>;
  /** Writes a refusal; of one kind from one address only once a minute. Never throws. */
  seen(act: Act, message: string): void;
  /** Writes a refusal, with the reason that the caller got. Never throws. */
  refused(act: Act, reason: string): void;
  /** Writes that an act begins. If this throws, the act must not happen. Returns what writes how the act went. */
  begin(act: Act): Promise<(error?: unknown) => void>;
}

/** Refusals of one kind from one place are written once in this time, with how many there were before. */
const quiet = 60_000;
/** So many refusals of a user are written one by one. */
const ownAccount = 100;
const remembered = 5_000;
const longest = 500;

/** Makes the writer of the audit log, from which the activity log is read. */
export function createAudit(store: AuditStore, log: Log): Audit {
  const flood = new Map<string, { until: number; written: number; kept: number }>();
  const logLoss = (error: unknown) => log.error("an audit entry could not be written", { error });

  /** Returns how many refusals like it were not written, or `undefined` if this one must not be written. */
  function countUnwritten(key: string, allowance: number): number | undefined {
    const now = performance.now();
    const known = flood.get(key);
    if (known && now < known.until) {
      if (known.written++ < allowance) return 0;
      return void known.kept++;
    }
    flood.delete(key);
    for (const old of flood.keys()) if (flood.size >= remembered) flood.delete(old);
    flood.set(key, { until: now + quiet, written: 1, kept: 0 });
    return known?.kept ?? 0;
  }

  return {
    async done(act, message) {
      await store.add({ ...entryOf(act), level: "INFO", result: "done", message: clean(message) });
    },
    seen(act, message) {
      const more = countUnwritten(`${act.user} ${act.address} ${act.action}`, 1);
      if (more === undefined) return;
      store.add({ ...entryOf(act), level: "INFO", result: "done", message: withMore(message, more) }).catch(logLoss);
    },
    refused(act, reason) {
      const { user, address, action, target } = act;
      const more =
        user === "" ? countUnwritten(`${address} ${action} ${target}`, 1) : countUnwritten(`* ${user}`, ownAccount);
      if (more === undefined) return;
      store.add({ ...entryOf(act), level: "WARN", result: "refused", message: withMore(reason, more) }).catch(logLoss);
    },
    async begin(act) {
      const what = act.message ?? `${act.action}${act.target ? `: ${act.target}` : ""}`;
      const id = await store.begin({ ...entryOf(act), level: "INFO", result: "begun", message: clean(what) });
      return (error) => {
        const refused = hasCode(error, "forbidden") || hasCode(error, "too_many");
        const level: AuditLevel = error === undefined ? "INFO" : refused ? "WARN" : "ERROR";
        const result = error === undefined ? "done" : refused ? "refused" : "failed";
        const message = clean(error === undefined ? what : `${what}: ${messageOf(error)}`);
        store.setResult({ id, level, result, message }).catch(logLoss);
      };
    },
  };
}

function withMore(message: string, more: number): string {
  return clean(`${message}${more > 0 ? ` (and ${more} more like it)` : ""}`);
}

/** Returns the act of a user who calls a method, such as `registries.save`. */
export function actOf(method: string, user: User, { address }: Caller, target = ""): Act {
  const token = user.token === undefined ? "" : ` (token ${user.token})`;
  return { user: user.name, address, action: `${method.replace(".", " ")}${token}`, target };
}

export function entryOf({ user, address, action, target = "" }: Act): Omit<AuditEntry, "level" | "result" | "message"> {
  const category = action.startsWith("registries") ? "image" : "system";
  return { ts: Date.now(), category, user: clean(user), address, action, target: clean(target) };
}

function clean(text: string): string {
  return printable(text).slice(0, longest);
}
