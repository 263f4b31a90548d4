import type { Log } from "../util/log.ts";

/** What goes on for long is logged once. */
export interface Reports {
  /** Unless it is what was said of this topic last. */
  say(topic: string, message: string, fields?: Record<string, unknown>): void;
  /** It is over: when it comes again, it is said again. */
  over(topic: string): void;
}

export function createReports(log: Log): Reports {
  const said = new Map<string, string>();
  return {
    say(topic, message, fields = {}) {
      if (said.get(topic) !== message) log(message, fields);
      said.set(topic, message);
    },
    over: (topic) => void said.delete(topic),
  };
}
