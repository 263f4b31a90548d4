import { Type } from "typebox";
import { LogCleared, LogEntry, LogExportQuery, LogQuery } from "../log.ts";
import type { RouteTable } from "../route.ts";

const path = "/api/v1/log";
const tag = "log";

/** The activity log. */
export const logRoutes = {
  "log.list": {
    method: "GET",
    path,
    tag,
    summary: "Who did what, newest first",
    verb: "log:read",
    audited: false,
    query: LogQuery,
    response: Type.Array(LogEntry),
  },
  "log.export": {
    method: "GET",
    path: `${path}/export`,
    tag,
    summary: "Who did what, oldest first, for a spreadsheet",
    verb: "log:read",
    audited: false,
    query: LogExportQuery,
    file: { type: "text/csv", description: "Date,Level,Category,User,Message" },
  },
  "log.clear": {
    method: "DELETE",
    path,
    tag,
    summary: "Hide all entries so far",
    verb: "log:clear",
    audited: true,
    response: LogCleared,
  },
} satisfies RouteTable;
