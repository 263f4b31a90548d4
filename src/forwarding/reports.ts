import type { Log } from "../util/log.ts";

/** Logs a lasting condition only once. */
export interface Reports {
  /** Logs the message, as a warning, or as an error if `fields` has one, unless it was the last one of this topic. */
  report(topic: string, message: string, fields?: Record<string, unknown>): void;
  /** Says that the condition has ended. If it comes again, it is logged again. */
  clear(topic: string): void;
}

/** Makes reports that go to `log`. */
export function createReports(log: Log): Reports {
  const reported = new Map<string, string>();
  return {
    report(topic, message, fields = {}) {
      if (reported.get(topic) !== message) log[fields["error"] === undefined ? "warn" : "error"](message, fields);
      reported.set(topic, message);
    },
    clear: (topic) => void reported.delete(topic),
  };
}
