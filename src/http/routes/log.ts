import { Type } from "typebox";
import { LogEntry, LogQuery } from "../../api/log.ts";
import type { LogService } from "../../services/services.ts";
import type { App } from "../app.ts";
import { callerOf } from "../session-cookie.ts";

export function logRoutes(app: App, log: LogService): void {
  const list = {
    tags: ["log"],
    summary: "Who did what, newest first",
    querystring: LogQuery,
    response: { 200: Type.Array(LogEntry) },
  };
  app.get("/api/v1/log", { schema: list }, (request) => {
    const { start, end, limit, offset, user, level, category, text } = request.query;
    const filter = { user, level, category, text };
    const numbers = { start: numberOf(start), end: numberOf(end), limit: numberOf(limit), offset: numberOf(offset) };
    return log.list(callerOf(request), { ...filter, ...numbers });
  });
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
