import type { DatabaseSync } from "node:sqlite";
import type { ClockMark, ClockVerbs } from "../clock-store.ts";

/** The verbs of the clock mark. */
export function createClockVerbs(db: DatabaseSync): ClockVerbs {
  const read = db.prepare("SELECT value FROM setting WHERE name = 'clock'");
  const write = db.prepare(
    "INSERT INTO setting (name, value) VALUES ('clock', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
  );
  return {
    read() {
      const text = read.get()?.["value"] as string | undefined;
      return text === undefined ? undefined : (JSON.parse(text) as ClockMark);
    },
    write: (mark) => void write.run(JSON.stringify(mark)),
  };
}
