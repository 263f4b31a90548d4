import { Type } from "typebox";
import type { RouteTable } from "../route.ts";
import { BridgeList, Health, PortPath, PortUse, SystemInfo, SystemResource } from "../system.ts";

const path = "/api/v1/system";
const tag = "system";

/** The station itself, and this host. */
export const systemRoutes = {
  "health.get": {
    method: "GET",
    path: "/healthz",
    tag: "station",
    summary: "Is the station up, and which engines answer",
    verb: "open",
    audited: false,
    response: Health,
  },
  "sessions.check:openapi": {
    method: "GET",
    path: "/openapi.json",
    tag: "station",
    summary: "This document",
    verb: "session",
    audited: false,
    response: Type.Record(Type.String(), Type.Unknown()),
  },
  "system.get": {
    method: "GET",
    path,
    tag,
    summary: "This host and its engines",
    verb: "system:read",
    audited: false,
    response: SystemInfo,
  },
  "system.resource": {
    method: "GET",
    path: `${path}/resource`,
    tag,
    summary: "Use of processors and memory",
    verb: "system:read",
    audited: false,
    response: SystemResource,
  },
  "system.report": {
    method: "GET",
    path: `${path}/report`,
    tag,
    summary: "A zip for a bug report, without secrets",
    verb: "system:report",
    audited: true,
    file: { type: "application/zip", description: "A zip" },
  },
  "system.port": {
    method: "GET",
    path: `${path}/port/:protocol/:port`,
    tag,
    summary: "Whether a port of this host is in use",
    verb: "system:read",
    audited: false,
    params: PortPath,
    response: PortUse,
  },
  "system.bridges": {
    method: "GET",
    path: `${path}/bridge`,
    tag,
    summary: "Network adapters and bridges of this host",
    verb: "system:read",
    audited: false,
    response: BridgeList,
  },
} satisfies RouteTable;
