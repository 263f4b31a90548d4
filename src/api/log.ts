import { Type, type Static } from "typebox";

/** An entry of the activity log. `ts` is epoch seconds. The last four fields are beyond the documented ones. */
export const LogEntry = Type.Object(
  {
    category: Type.String(),
    id: Type.Integer(),
    level: Type.String(),
    message: Type.String(),
    ts: Type.Integer(),
    user: Type.String(),
    address: Type.String(),
    action: Type.String(),
    target: Type.String(),
    result: Type.String(),
  },
  { $id: "LogEntry" },
);
export type LogEntry = Static<typeof LogEntry>;

const Time = Type.String({ pattern: "^[0-9]{1,12}$", description: "Epoch seconds, 0 = any" });
const Words = Type.String({ maxLength: 200, description: "One or more, separated by commas" });

const filters = {
  start: Type.Optional(Time),
  end: Type.Optional(Time),
  user: Type.Optional(Type.String({ maxLength: 128 })),
  level: Type.Optional(Words),
  category: Type.Optional(Words),
  text: Type.Optional(Type.String({ maxLength: 200, description: "Part of the message" })),
};

export const LogQuery = Type.Object({
  ...filters,
  limit: Type.Optional(Type.String({ pattern: "^[1-9][0-9]{0,3}$", description: "A whole number from 1 to 9999" })),
  offset: Type.Optional(Type.String({ pattern: "^[0-9]{1,9}$", description: "A whole number" })),
});

export const LogExportQuery = Type.Object(filters);

/** The number of entries that are hidden now. */
export const LogCleared = Type.Object({ records: Type.Integer() }, { $id: "LogCleared" });
export type LogCleared = Static<typeof LogCleared>;
