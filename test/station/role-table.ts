import { routeTable, type RouteName } from "../../src/api/routes.ts";
import { userPassword } from "../attacks/sender.ts";
import { shortName } from "./route-list.ts";

/** A status for each role; what a viewer and an operator may not do is 403, what is not theirs 404. */
type Expected = [viewer: number, operator: number, admin: number];
export const tableRoles = ["viewer", "operator", "admin"] as const;
export type TableRole = (typeof tableRoles)[number];

export interface Row {
  /** What is sent, where it is not the route's own path. Names in capitals are filled in by the test. */
  path?: string;
  /** As the role's own request. */
  body?: (role: string) => unknown;
  /** Needs no session: this status for everybody. */
  open?: number;
  expected?: Expected;
}

const image = { type: "docker", repository: "dockerhub", image: "busybox", tag: "latest" };
const all: Expected = [200, 200, 200];
const adminOnly: Expected = [403, 403, 200];
/** Of a container that is nobody's: a viewer may not, to an operator there is none. */
const own: Expected = [403, 404, 200];
const kept = (rest: string) => `/container/docker/KEPT_CONTAINER${rest}`;
const uuid = "54e21881-8620-4bb0-95f1-05f143973a6e";
const guess = { username: "nobody", password: "wrong password" };

/**
 * What each role gets of every route. A route without a row, and a row without a route, are compile errors. A request is
 * one that would do something, so that a refusal that comes too late shows.
 */
const rows: Record<RouteName, Row> = {
  "health.get": { open: 200 },
  "sessions.login": { open: 401, body: () => guess },
  "sessions.login:two-step": { open: 401, body: () => ({ ...guess, code: "000000" }) },
  "sessions.login:page-get": { open: 400 },
  "sessions.login:page": { open: 400, body: () => "user=nobody" },

  "sessions.check:openapi": { expected: all },
  "sessions.refresh": { expected: all },
  "sessions.logout": { expected: all },
  "sessions.list": { expected: all },
  "sessions.remove:others": { expected: all },
  "sessions.remove": { path: "/sessions/SPARE_SESSION", expected: [404, 404, 200] },
  "tokens.list": { expected: all },
  "tokens.create": { body: () => ({ name: "matrix" }), expected: all },
  "tokens.remove": { path: "/tokens/SPARE_TOKEN", expected: [404, 404, 200] },
  // Allowed, and then stopped by what is wrong in them.
  "users.changePassword": {
    body: () => ({ current: "wrong password", password: "another one" }),
    expected: [401, 401, 401],
  },
  "secondStep.get": { expected: all },
  "secondStep.begin": { body: () => ({ password: userPassword }), expected: all },
  "secondStep.finish": { body: () => ({ code: "abc" }), expected: [400, 400, 400] },
  "secondStep.end": { body: () => ({ password: userPassword, code: "000000" }), expected: [409, 409, 409] },
  "users.list": { expected: adminOnly },
  "users.create": {
    body: (role) => ({ username: `made-by-${role}`, password: userPassword, role: "admin" }),
    expected: adminOnly,
  },
  "users.change": { path: "/users/spare", body: () => ({ disabled: true }), expected: adminOnly },
  "users.remove": { path: "/users/gone", expected: adminOnly },
  "log.list": { expected: [200, 403, 200] },
  "log.export": { expected: [200, 403, 200] },
  "log.clear": { expected: adminOnly },

  "background.list": { expected: all },
  "background.get": { path: "/background/1", expected: [200, 404, 200] },
  "background.remove:all": { expected: [403, 200, 200] },
  "background.remove": { path: "/background/1", expected: [403, 404, 200] },
  "background.add:create": { body: (role) => ({ ...image, name: `policy-${role}` }), expected: [403, 200, 200] },
  "background.add:image_download": { body: () => image, expected: [403, 200, 200] },
  "background.add:image_pull": { body: () => image, expected: [403, 200, 200] },
  "background.add:image_remove": {
    body: () => ({ type: "docker", image: "busybox", tag: "latest", id: "0123456789ab" }),
    expected: adminOnly,
  },
  "background.refuse": { path: "/background/image_push", body: () => ({}), expected: [501, 501, 501] },
  // Nobody may wait a minute here: it is refused for its folder, after the role.
  "lifecycle.create": {
    body: () => ({ ...image, name: "policy", volume: { host: { "/NoShare": { bind: "/a" } } } }),
    expected: [403, 400, 400],
  },
  "containerList.list": { expected: all },
  "containerList.find": { path: "/container/policy-kept", expected: [200, 404, 200] },
  "containerList.get": { path: kept(""), expected: [200, 404, 200] },
  "containerList.idOf": { path: "/container/docker/getid/policy-kept", expected: [200, 404, 200] },
  "inside.inspect": { path: kept("/inspect"), expected: own },
  "inside.logs": { path: kept("/logs"), expected: [200, 404, 200] },
  "lifecycle.settings": { path: kept("/all"), expected: own },
  "events.wait": { path: "/event/wait/docker/KEPT_CONTAINER/running", expected: [200, 404, 200] },
  "inside.exec": { path: kept("/exec"), body: () => ({ command: ["true"] }), expected: own },
  "lifecycle.start": { path: kept("/start"), expected: own },
  "lifecycle.restart": { path: kept("/restart"), expected: own },
  "lifecycle.pause": { path: kept("/pause"), expected: own },
  "lifecycle.unpause": { path: kept("/unpause"), expected: own },
  "lifecycle.setAutostart": { path: kept("/autostart/on"), expected: own },
  "lifecycle.commit": {
    path: kept("/commit"),
    body: () => ({ repository: "policy-commit" }),
    expected: adminOnly,
  },
  "lifecycle.rename": { path: kept("/rename"), body: () => ({ name: "policy-new" }), expected: own },
  "lifecycle.stop": { path: kept("/stop"), expected: own },
  "lifecycle.remove": { path: kept(""), expected: own },

  "events.recent": { expected: all },
  "registries.list": { expected: all },
  "registries.save": {
    body: () => ({ method: "add", name: "policy", url: "https://policy.example.com", enableTrustCert: false }),
    expected: adminOnly,
  },
  "registries.remove:by-body": { body: () => ({ name: "kept" }), expected: adminOnly },
  "registries.remove": { path: "/registry/kept2", expected: adminOnly },
  "events.stream": { expected: all },

  // By a token of that role too, and no more than its owner may. This station has no LXC; `ipadd` is an admin's alone.
  "openvz.create": { body: (role) => ({ name: `policy-${role}`, ostemplate: "a" }), expected: [403, 501, 501] },
  "openvz.list": { expected: all },
  "openvz.get": { path: `/v0.1/containers/${uuid}`, expected: [404, 404, 404] },
  "openvz.update": {
    path: `/v0.1/containers/${uuid}`,
    body: () => ({ parameters: { hostname: "a" } }),
    expected: [403, 404, 404],
  },
  "openvz.remove": { path: `/v0.1/containers/${uuid}`, expected: [403, 404, 404] },
  "openvz.start": { path: `/v0.1/containers/${uuid}/start`, expected: [403, 404, 404] },
  "openvz.stop": { path: `/v0.1/containers/${uuid}/stop`, expected: [403, 404, 404] },
  "openvz.restart": { path: `/v0.1/containers/${uuid}/restart`, expected: [403, 404, 404] },
  "openvz.listJobs": { expected: all },
  "openvz.getJob": { path: `/v0.1/jobs/${uuid}`, expected: [404, 404, 404] },

  "system.get": { expected: all },
  "system.resource": { expected: all },
  "system.port": { path: "/system/port/tcp/80", expected: all },
  "system.bridges": { expected: all },
  "system.report": { expected: adminOnly },
  "certificates.get": { expected: adminOnly },
  "certificates.setNotify": { body: () => ({ outdatedNotify: false }), expected: adminOnly },
  "certificates.domainNames": { expected: adminOnly },
  "certificates.setDomainNames": { body: () => ({ domain_names: "policy.example" }), expected: adminOnly },
  "certificates.exportClient": { expected: adminOnly },
  "certificates.exportAuthority": { expected: adminOnly },
  "certificates.rotate": { expected: adminOnly },
};

/** Every route of the station by its method and path, as `GET /container`. */
export const table: Readonly<Record<string, Row>> = Object.fromEntries(
  Object.entries(rows).map(([name, row]) => [shortName(routeTable[name]!), row]),
);
