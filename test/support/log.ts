import { logLevels, type Log } from "../../src/util/log.ts";

/** Returns a log that gives each message with its fields to `take`. */
export function createTestLog(take: (message: string, fields: Readonly<Record<string, unknown>>) => void): Log {
  const methods = logLevels.map((level) => [level, (message: string, fields = {}) => take(message, fields)]);
  return Object.fromEntries(methods) as Log;
}
