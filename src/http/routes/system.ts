import { Type } from "typebox";
import { BridgeList, PortUse, SystemInfo, SystemResource } from "../../api/system.ts";
import { invalid } from "../../errors.ts";
import type { SystemService } from "../../services/contract/services.ts";
import type { App } from "../app.ts";
import { downloadResponse, sendDownload } from "../download.ts";
import { callerOf } from "../session-cookie.ts";

const base = "/api/v1/system";
const tags = ["system"];

export function systemRoutes(app: App, system: SystemService): void {
  const get = { tags, summary: "This host and its engines", response: { 200: SystemInfo } };
  app.get(base, { schema: get }, (request) => system.get(callerOf(request)));

  const resource = { tags, summary: "Use of processors and memory", response: { 200: SystemResource } };
  app.get(`${base}/resource`, { schema: resource }, (request) => system.resource(callerOf(request)));

  const report = {
    tags,
    summary: "A zip for a bug report, without secrets",
    response: downloadResponse("A zip", "application/zip"),
  };
  app.get(`${base}/report`, { schema: report }, async (request, reply) =>
    sendDownload(reply, await system.report(callerOf(request))),
  );

  const params = Type.Object({
    protocol: Type.Union([Type.Literal("tcp"), Type.Literal("udp")]),
    port: Type.String({ pattern: "^[0-9]{1,5}$", description: "A number from 1 to 65535" }),
  });
  const port = { tags, summary: "Whether a port of this host is in use", params, response: { 200: PortUse } };
  app.get(`${base}/port/:protocol/:port`, { schema: port }, (request) =>
    system.port(callerOf(request), request.params.protocol, portOf(request.params.port)),
  );

  const bridge = { tags, summary: "Network adapters and bridges of this host", response: { 200: BridgeList } };
  app.get(`${base}/bridge`, { schema: bridge }, (request) => system.bridges(callerOf(request)));
}

function portOf(text: string): number {
  const port = Number(text);
  if (port >= 1 && port <= 65_535) return port;
  throw invalid("port", "must be a number from 1 to 65535");
}
