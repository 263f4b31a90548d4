import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { NewTask } from "../task-store.ts";
import { accountSql } from "./accounts.ts";
import { auditSql } from "./audit.ts";
import { createBallast } from "./ballast.ts";
import { clockSql } from "./clock.ts";
import { eventSql } from "./events.ts";
import { migrate, NewerDatabaseError } from "./migrations.ts";
import { openvzSql } from "./openvz.ts";
import { registrySql } from "./registries.ts";
import { taskSql } from "./tasks.ts";

export interface OpenOptions {
  path: string;
  /** This machine's name in the tables. */
  host: string;
  /** FULL keeps every acknowledged commit through a power cut; NORMAL is the control of the power-cut proof. */
  synchronous: "FULL" | "NORMAL";
}

export interface Identity {
  /** The station's id, made with the database. */
  station: string;
  /** Counts the starts on this host. */
  epoch: number;
}

/** `fatal`: the disk or the database can no longer be trusted, or another start took over: the process must end. */
export type ErrorKind = "disk_full" | "newer" | "fatal" | "bug";

type Call = [verb: string, argument: unknown];
export type Answer = [0, unknown] | [1, ErrorKind, string];

export interface BatchAnswer {
  /** Something was written. */
  changed: boolean;
  answers: Answer[];
}

/** Characters; several answers go into one string, which can have 512 Mi. */
const largestAnswer = 64 << 20;

/** What is refused while the disk is full: the ballast is for ends and undos, and their events. */
const beginnings = new Set(["tasks.accept", "tasks.planStep", "events.add", "audit.begin", "audit.clear"]);

function isBeginning([verb, argument]: Call): boolean {
  const endsOnly = verb === "tasks.accept" && (argument as NewTask).endsOnly === true;
  return beginnings.has(verb) && !endsOnly;
}

const SQLITE_FULL = 13;
/** The index of the write-ahead log could not grow. */
const SQLITE_IOERR_SHMSIZE = 4874;
/** IOERR, CORRUPT, CANTOPEN, NOTADB, READONLY. */
const fatalCodes = new Set([10, 11, 14, 26, 8]);

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

export function openTransactions(options: OpenOptions) {
  const { path, host } = options;
  const ballast = createBallast(path);
  const { db, identity } = openWith(ballast, options);
  const verbs = verbTable(db, host);
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

  /** After a batch failed: each call on its own, so that one bad call takes no other down. */
  function callAlone(one: Call): Answer {
    if (ballast.isFreed() && isBeginning(one)) return [1, "disk_full", "the disk is full"];
    let answer: Answer | undefined;
    try {
      transaction(() => (answer = call(one)));
      return answer as Answer;
    } catch (error) {
      return [1, errorKind(error), String(error)];
    }
  }

  function answer(calls: readonly Call[]): Answer[] {
    if (ballast.isFreed() && !ballast.restore()) return calls.map(callAlone);
    try {
      let answers: Answer[] = [];
      transaction(() => (answers = calls.map(call)));
      return answers;
    } catch (error) {
      const kind = errorKind(error);
      if (kind === "fatal") return calls.map(() => [1, kind, String(error)]);
      if (kind === "disk_full") ballast.free();
      return calls.map(callAlone);
    }
  }

  function run(batch: string): string {
    const before = changes.get()?.["n"];
    const answers = answer(JSON.parse(batch) as Call[]);
    const changed = changes.get()?.["n"] !== before;
    return text({ changed, answers }) ?? text({ changed, answers: answers.map(sendable) }) ?? "";
  }

  return { run, identity, close: () => db.close() };
}

/** `undefined`: longer than a string can be. */
function text(answer: BatchAnswer): string | undefined {
  try {
    return JSON.stringify(answer);
  } catch {
    return undefined;
  }
}

/** What is too large to be passed on fails its own caller, and not the store's thread. */
function sendable(answer: Answer): Answer {
  const length = text({ changed: false, answers: [answer] })?.length ?? Number.POSITIVE_INFINITY;
  return length < largestAnswer ? answer : [1, "bug", "the answer is too large"];
}

/** On a full disk the ballast is what the start is written with. */
function openWith(
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

function open({ path, host, synchronous }: OpenOptions): { db: DatabaseSync; identity: Identity } {
  const db = new DatabaseSync(path);
  try {
    db.exec("PRAGMA journal_mode = WAL");
    db.exec(`PRAGMA synchronous = ${synchronous}`);
    db.exec(
      "PRAGMA busy_timeout = 5000; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16000; PRAGMA foreign_keys = ON",
    );
    migrate(db);
    return { db, identity: identify(db, host) };
  } catch (error) {
    db.close();
    throw error;
  }
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
  return { station, epoch: row?.["epoch"] as number };
}

function verbTable(db: DatabaseSync, host: string): Map<string, (argument: unknown) => unknown> {
  const groups = {
    tasks: taskSql(db, host),
    events: eventSql(db, host),
    accounts: accountSql(db, host),
    audit: auditSql(db, host),
    registries: registrySql(db),
    openvz: openvzSql(db, host),
    clock: clockSql(db),
  };
  const table = new Map<string, (argument: unknown) => unknown>();
  for (const [group, verbs] of Object.entries(groups)) {
    for (const [name, verb] of Object.entries(verbs))
      table.set(`${group}.${name}`, verb as (argument: unknown) => unknown);
  }
  return table;
}
