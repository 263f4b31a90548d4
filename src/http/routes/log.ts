import { Type, type Static } from "typebox";
import { LogCleared, LogEntry, LogExportQuery, LogQuery } from "../../api/log.ts";
import type { LogService } from "../../services/contract/services.ts";
import type { App } from "../app.ts";
import { downloadResponse, sendDownload } from "../download.ts";
import { callerOf } from "../session-cookie.ts";

const base = "/api/v1/log";
const tags = ["log"];

export function logRoutes(app: App, log: LogService): void {
  const list = {
    tags,
    summary: "Who did what, newest first",
    querystring: LogQuery,
    response: { 200: Type.Array(LogEntry) },
  };
  app.get(base, { schema: list }, (request) => {
    const { limit, offset } = request.query;
    return log.list(callerOf(request), {
      ...filterOf(request.query),
      limit: numberOf(limit),
      offset: numberOf(offset),
    });
  });

  const csv = {
    tags,
    summary: "Who did what, oldest first, for a spreadsheet",
    querystring: LogExportQuery,
    response: downloadResponse("Date,Level,Category,User,Message", "text/csv"),
  };
  app.get(`${base}/export`, { schema: csv }, async (request, reply) =>
    sendDownload(reply, await log.export(callerOf(request), filterOf(request.query))),
  );

  const clear = { tags, summary: "Hide all entries so far", response: { 200: LogCleared } };
  app.delete(base, { schema: clear }, (request) => log.clear(callerOf(request)));
}

function filterOf({ start, end, user, level, category, text }: Static<typeof LogExportQuery>) {
  return { start: numberOf(start), end: numberOf(end), user, level, category, text };
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
