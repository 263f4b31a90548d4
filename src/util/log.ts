import { pino } from "pino";

/** The levels of log lines, the gravest first. */
export const logLevels = ["error", "warn", "info"] as const;

/** `error`: the station could not do something. `warn`: an admin should look. `info`: something happened as it should. */
export type LogLevel = (typeof logLevels)[number];

/** Writes a static message with its fields to the log, at the level of its name. */
export type Log = Readonly<Record<LogLevel, (message: string, fields?: Readonly<Record<string, unknown>>) => void>>;

/** Writes nothing. */
export const silentLog: Log = { error() {}, warn() {}, info() {} };

/** The log of a station. */
export interface StationLog {
  /** Writes lines. */
  log: Log;
  /** Leaves out all lines that are less grave than `level` from now on. */
  setLevel(level: LogLevel): void;
  /** Returns the last 1,000 lines that were written. */
  recentLines(): readonly string[];
}

const maxRecentLines = 1000;
/** Names of fields whose value is never written. */
const secretNames = /passw|secret|token|cookie|authorization|^(?:sid|session|pem|key|recovery)$/i;
const masked = "********";
/** Values that lie deeper are left out; a value that contains itself would have no end. */
const maxDepth = 6;

/**
 * Returns a log that writes lines of JSON: level, time (ISO 8601, UTC), fields, message. JSON escapes the control characters
 * of all values. Fields whose name says that they are a secret are masked. `write` gets each line with its line break; it is
 * called at once, so that a line is not lost when the process ends.
 */
export function createLog(write: (line: string) => void, level: LogLevel = "info"): StationLog {
  const recent: string[] = [];
  const stream = {
    write(line: string): void {
      recent.push(line.trimEnd());
      if (recent.length > maxRecentLines) recent.shift();
      write(line);
    },
  };
  const formatters = {
    level: (label: string) => ({ level: label }),
    log: (fields: object) => printable(fields, 0) as Record<string, unknown>,
  };
  const options = { base: null, level, formatters, messageKey: "message", timestamp: pino.stdTimeFunctions.isoTime };
  const logger = pino(options, stream);
  const at =
    (name: LogLevel): Log[LogLevel] =>
    (message, fields = {}) =>
      logger[name](fields, message);
  return {
    log: { error: at("error"), warn: at("warn"), info: at("info") },
    setLevel: (wanted) => void (logger.level = wanted),
    recentLines: () => [...recent],
  };
}

/** Returns what is written of a value: errors with stack and cause, secrets masked. */
function printable(value: unknown, depth: number): unknown {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth > maxDepth) return "...";
  if (value instanceof Error) return describe(value, depth);
  if (Array.isArray(value)) return value.map((item) => printable(item, depth + 1));
  if ("toJSON" in value && typeof value.toJSON === "function") return value.toJSON() as unknown;
  const entries = Object.entries(value).map(([name, item]) => [
    name,
    secretNames.test(name) && item !== undefined ? masked : printable(item, depth + 1),
  ]);
  return Object.fromEntries(entries) as unknown;
}

function describe(error: Error, depth: number): Record<string, unknown> {
  const { message, stack, cause } = error;
  return { message, stack, ...(cause !== undefined && { cause: printable(cause, depth + 1) }) };
}
