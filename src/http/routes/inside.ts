import { Type } from "typebox";
import { ContainerPlace, ExecAnswer, ExecRequest, Logs, LogsQuery } from "../../api/lifecycle.ts";
import type { InsideService, LogEnd } from "../../services/contract/services.ts";
import type { App } from "../app.ts";
import { untilHangUp } from "../hang-up.ts";
import { jsonType, prettyJson } from "../json.ts";
import { callerOf } from "../session-cookie.ts";

const one = "/api/v1/container/:type/:id";
const tags = ["container"];
const params = ContainerPlace;

export function insideRoutes(app: App, inside: InsideService): void {
  const inspected = Type.Record(Type.String(), Type.Unknown());
  const inspect = { tags, summary: "Low-level information on a container", params };
  app.get(`${one}/inspect`, { schema: { ...inspect, response: { 200: inspected } } }, (request) =>
    inside.inspect(callerOf(request), request.params),
  );

  const logs = {
    tags,
    summary: "The end of a container's log; of lxc and lxd, its console",
    params,
    querystring: LogsQuery,
    response: { 200: Logs },
  };
  app.get(`${one}/logs`, { schema: logs }, async (request, reply) => {
    const { tail } = request.query;
    const how = { tail: tail === undefined ? undefined : Number(tail) };
    const end = await inside.logs(callerOf(request), request.params, how);
    if (end.truncated) reply.header("x-truncated", "true");
    // A text is an answer in JSON too.
    return reply.type(jsonType).serializer(prettyJson).send(shownLogs(request.params.type, end));
  });

  const exec = {
    tags,
    summary: "Run a program in a container to its end, which comes with the request's at the latest",
    params,
    body: ExecRequest,
    response: { 200: ExecAnswer },
  };
  app.post(`${one}/exec`, { schema: exec }, (request, reply) =>
    inside.exec(callerOf(request), request.params, request.body, untilHangUp(reply)),
  );
}

/** As documented: of docker an object, of the others only the text, which leaves the header to say that it was cut. */
function shownLogs(type: string, { logs, tail, truncated }: LogEnd): Logs {
  if (type !== "docker") return logs;
  return { logs, tail, ...(truncated && { truncated: true as const }) };
}
