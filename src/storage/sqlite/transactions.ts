import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { NewTask } from "../task-store.ts";
import { createAccountVerbs } from "./accounts/accounts.ts";
import { createAuditVerbs } from "./audit.ts";
import { createBallast } from "./ballast.ts";
import { createClockVerbs } from "./clock.ts";
import { createEventVerbs } from "./events.ts";
import { migrate, NewerDatabaseError } from "./migrations/migrations.ts";
import { createOpenvzVerbs } from "./openvz.ts";
import { createRegistryVerbs } from "./registries.ts";
import { createTaskVerbs } from "./tasks/tasks.ts";

export interface OpenOptions {
  /** Absolute path of the database file; it is made if it is missing. */
  path: string;
  /** Id of this host in the tables. Absent: that of the only host that has used the database, or else a new one. */
  host?: string | undefined;
  /** SQLite's setting: FULL keeps every acknowledged commit through a power cut, NORMAL may lose the last ones. */
  synchronous: "FULL" | "NORMAL";
}

export interface Identity {
  /** The station's id, a UUID that is made with the database. */
  station: string;
  /** The id of this host, a UUID. */
  host: string;
  /** Number of starts on this host. */
  epoch: number;
}

/**
 * Why a call failed. `fatal`: the disk or the database cannot be trusted any more, or another start took over, so the
 * process must end. `newer`: a newer version of Gantry has written the file. `bug`: the call itself was wrong.
 */
export type ErrorKind = "disk_full" | "newer" | "fatal" | "bug";

type Call = [verb: string, argument: unknown];
export type Answer = [0, unknown] | [1, ErrorKind, string];

/** The answers to one batch of calls. */
export interface BatchAnswer {
  /** True if something was written. */
  changed: boolean;
  /** One answer for each call, in order: [0, value] or [1, kind of error, message]. */
  answers: Answer[];
}

/** Characters. All answers of a batch go into one string, which may have 512 Mi. */
const maxAnswerLength = 64 << 20;

/** Verbs that are refused while the disk is full: the ballast's room is for ends and undos of running tasks. */
const refusedVerbs = new Set(["tasks.accept", "tasks.planStep", "events.add", "audit.begin", "audit.clear"]);

function isRefusedOnFullDisk([verb, argument]: Call): boolean {
  const endsOnly = verb === "tasks.accept" && (argument as NewTask).endsOnly === true;
  return refusedVerbs.has(verb) && !endsOnly;
}

const SQLITE_FULL = 13;
/** The index of the write-ahead log could not grow. */
const SQLITE_IOERR_SHMSIZE = 4874;
/** IOERR, CORRUPT, CANTOPEN, NOTADB, READONLY. */
const fatalCodes = new Set([10, 11, 14, 26, 8]);

/** Classifies an error of SQLite or of this module. */
export function errorKind(error: unknown): ErrorKind {
  if (error instanceof NewerDatabaseError) return "newer";
  if (error instanceof FenceError) return "fatal";
  const code = (error as { errcode?: number }).errcode;
  if (code === undefined) return "bug";
  const primary = code & 0xff;
  if (primary === SQLITE_FULL || code === SQLITE_IOERR_SHMSIZE) return "disk_full";
  return fatalCodes.has(primary) ? "fatal" : "bug";
}

class FenceError extends Error {}

/** Opens the database. `run` takes a batch of calls as JSON and returns its answers as JSON. Throws if it cannot be opened. */
export function openTransactions(options: OpenOptions) {
  const ballast = createBallast(options.path);
  const { db, identity } = openWithBallast(ballast, options);
  const { host } = identity;
  const verbs = createVerbTable(db, host);
  const fence = db.prepare("SELECT epoch FROM worker WHERE host = ?");
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const changes = db.prepare("SELECT total_changes() AS n");

  function transaction(work: () => void): void {
    begin.run();
    try {
      if (fence.get(host)?.["epoch"] !== identity.epoch) throw new FenceError("another start of the station took over");
      work();
      commit.run();
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  }

  function call([name, argument]: Call): Answer {
    const verb = verbs.get(name);
    if (!verb) throw new Error(`no verb ${name}`);
    return [0, verb(argument)];
  }

  /** Runs a call in a transaction of its own, after its batch has failed: one bad call must not make others fail. */
  function runAlone(one: Call): Answer {
    if (ballast.isFreed() && isRefusedOnFullDisk(one)) return [1, "disk_full", "the disk is full"];
    let answer: Answer | undefined;
    try {
      transaction(() => (answer = call(one)));
      return answer as Answer;
    } catch (error) {
      return [1, errorKind(error), String(error)];
    }
  }

  function answer(calls: readonly Call[]): Answer[] {
    if (ballast.isFreed() && !ballast.restore()) return calls.map(runAlone);
    try {
      let answers: Answer[] = [];
      transaction(() => (answers = calls.map(call)));
      return answers;
    } catch (error) {
      const kind = errorKind(error);
      if (kind === "fatal") return calls.map(() => [1, kind, String(error)]);
      if (kind === "disk_full") ballast.free();
      return calls.map(runAlone);
    }
  }

  function run(batch: string): string {
    const before = changes.get()?.["n"];
    const answers = answer(JSON.parse(batch) as Call[]);
    const changed = changes.get()?.["n"] !== before;
    return text({ changed, answers }) ?? text({ changed, answers: answers.map(limitSize) }) ?? "";
  }

  return { run, identity, close: () => db.close() };
}

/** Returns the answers as JSON, or undefined if that is longer than a string can be. */
function text(answer: BatchAnswer): string | undefined {
  try {
    return JSON.stringify(answer);
  } catch {
    return undefined;
  }
}

/** Replaces an answer that is too large by an error, so that only its caller fails and not the store's thread. */
function limitSize(answer: Answer): Answer {
  const length = text({ changed: false, answers: [answer] })?.length ?? Number.POSITIVE_INFINITY;
  return length < maxAnswerLength ? answer : [1, "bug", "the answer is too large"];
}

/** On a full disk the ballast is what the start is written with. */
function openWithBallast(
  ballast: ReturnType<typeof createBallast>,
  options: OpenOptions,
): { db: DatabaseSync; identity: Identity } {
  try {
    return open(options);
  } catch (error) {
    if (ballast.isFreed() || errorKind(error) !== "disk_full") throw error;
    ballast.free();
    return open(options);
  }
}

function open({ path, synchronous, ...options }: OpenOptions): { db: DatabaseSync; identity: Identity } {
  const db = new DatabaseSync(path);
  try {
    db.exec("PRAGMA journal_mode = WAL");
    db.exec(`PRAGMA synchronous = ${synchronous}`);
    db.exec(
      "PRAGMA busy_timeout = 5000; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16000; PRAGMA foreign_keys = ON",
    );
    const host = options.host ?? onlyHost(db) ?? randomUUID();
    migrate(db, host);
    return { db, identity: identify(db, host) };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Returns the id of the host that has used the database, if that is one. Earlier versions had no ids, but the word `this`. */
function onlyHost(db: DatabaseSync): string | undefined {
  if (!db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'worker'").get()) return undefined;
  const hosts = db.prepare("SELECT host FROM worker WHERE host <> 'this'").all();
  return hosts.length === 1 ? (hosts[0]?.["host"] as string) : undefined;
}

/** Counts this start, so that a process that outlived it can write no more. */
function identify(db: DatabaseSync, host: string): Identity {
  db.exec("BEGIN IMMEDIATE");
  db.prepare("INSERT OR IGNORE INTO setting (name, value) VALUES ('station', ?)").run(randomUUID());
  const station = db.prepare("SELECT value FROM setting WHERE name = 'station'").get()?.["value"] as string;
  const row = db
    .prepare(
      `INSERT INTO worker (host, epoch, seen_at) VALUES (?, 1, ?)
       ON CONFLICT (host) DO UPDATE SET epoch = epoch + 1, seen_at = excluded.seen_at RETURNING epoch`,
    )
    .get(host, Date.now());
  db.exec("COMMIT");
  return { station, host, epoch: row?.["epoch"] as number };
}

function createVerbTable(db: DatabaseSync, host: string): Map<string, (argument: unknown) => unknown> {
  const groups = {
    tasks: createTaskVerbs(db, host),
    events: createEventVerbs(db, host),
    accounts: createAccountVerbs(db, host),
    audit: createAuditVerbs(db, host),
    registries: createRegistryVerbs(db),
    openvz: createOpenvzVerbs(db, host),
    clock: createClockVerbs(db),
  };
  const table = new Map<string, (argument: unknown) => unknown>();
  for (const [group, verbs] of Object.entries(groups)) {
    for (const [name, verb] of Object.entries(verbs))
      table.set(`${group}.${name}`, verb as (argument: unknown) => unknown);
  }
  return table;
}
