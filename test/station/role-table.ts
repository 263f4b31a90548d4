import { userPassword } from "../attacks/sender.ts";

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
 * Every route of the station and what each role gets. A route without a row fails the test; a request is one that would
 * do something, so that a refusal that comes too late shows.
 */
export const table: Record<string, Row> = {
  "GET /healthz": { open: 200 },
  "POST /login": { open: 401, body: () => guess },
  "POST /login/two-step": { open: 401, body: () => ({ ...guess, code: "000000" }) },
  "GET /cgi-bin/authLogin.cgi": { open: 400 },
  "POST /cgi-bin/authLogin.cgi": { open: 400, body: () => "user=nobody" },

  "GET /openapi.json": { expected: all },
  "GET /login_refresh": { expected: all },
  "PUT /logout": { expected: all },
  "GET /sessions": { expected: all },
  "DELETE /sessions": { expected: all },
  "DELETE /sessions/:id": { path: "/sessions/SPARE_SESSION", expected: [404, 404, 200] },
  "GET /tokens": { expected: all },
  "POST /tokens": { body: () => ({ name: "matrix" }), expected: all },
  "DELETE /tokens/:id": { path: "/tokens/SPARE_TOKEN", expected: [404, 404, 200] },
  // Allowed, and then stopped by what is wrong in them.
  "PUT /password": { body: () => ({ current: "wrong password", password: "another one" }), expected: [401, 401, 401] },
  "GET /two-step": { expected: all },
  "POST /two-step": { body: () => ({ password: userPassword }), expected: all },
  "PUT /two-step": { body: () => ({ code: "abc" }), expected: [400, 400, 400] },
  "DELETE /two-step": { body: () => ({ password: userPassword, code: "000000" }), expected: [409, 409, 409] },
  "GET /users": { expected: adminOnly },
  "POST /users": {
    body: (role) => ({ username: `made-by-${role}`, password: userPassword, role: "admin" }),
    expected: adminOnly,
  },
  "PUT /users/:username": { path: "/users/spare", body: () => ({ disabled: true }), expected: adminOnly },
  "DELETE /users/:username": { path: "/users/gone", expected: adminOnly },
  "GET /log": { expected: [200, 403, 200] },
  "GET /log/export": { expected: [200, 403, 200] },
  "DELETE /log": { expected: adminOnly },

  "GET /background": { expected: all },
  "GET /background/:id": { path: "/background/1", expected: [200, 404, 200] },
  "DELETE /background": { expected: [403, 200, 200] },
  "DELETE /background/:target": { path: "/background/1", expected: [403, 404, 200] },
  "POST /background/create": { body: (role) => ({ ...image, name: `policy-${role}` }), expected: [403, 200, 200] },
  "POST /background/image_download": { body: () => image, expected: [403, 200, 200] },
  "POST /background/image_pull": { body: () => image, expected: [403, 200, 200] },
  "POST /background/image_remove": {
    body: () => ({ type: "docker", image: "busybox", tag: "latest", id: "0123456789ab" }),
    expected: adminOnly,
  },
  "POST /background/:category": { path: "/background/image_push", body: () => ({}), expected: [501, 501, 501] },
  // Nobody may wait a minute here: it is refused for its folder, after the role.
  "POST /container": {
    body: () => ({ ...image, name: "policy", volume: { host: { "/NoShare": { bind: "/a" } } } }),
    expected: [403, 400, 400],
  },
  "GET /container": { expected: all },
  "GET /container/:name": { path: "/container/policy-kept", expected: [200, 404, 200] },
  "GET /container/:type/:id": { path: kept(""), expected: [200, 404, 200] },
  "GET /container/:type/getid/:id": { path: "/container/docker/getid/policy-kept", expected: [200, 404, 200] },
  "GET /container/:type/:id/inspect": { path: kept("/inspect"), expected: own },
  "GET /container/:type/:id/logs": { path: kept("/logs"), expected: [200, 404, 200] },
  "GET /container/:type/:id/all": { path: kept("/all"), expected: own },
  "GET /event/wait/:type/:id/:state": { path: "/event/wait/docker/KEPT_CONTAINER/running", expected: [200, 404, 200] },
  "POST /container/:type/:id/exec": { path: kept("/exec"), body: () => ({ command: ["true"] }), expected: own },
  "PUT /container/:type/:id/start": { path: kept("/start"), expected: own },
  "PUT /container/:type/:id/restart": { path: kept("/restart"), expected: own },
  "POST /container/:type/:id/pause": { path: kept("/pause"), expected: own },
  "POST /container/:type/:id/unpause": { path: kept("/unpause"), expected: own },
  "PUT /container/:type/:id/autostart/:state": { path: kept("/autostart/on"), expected: own },
  "POST /container/:type/:id/commit": {
    path: kept("/commit"),
    body: () => ({ repository: "policy-commit" }),
    expected: adminOnly,
  },
  "POST /container/:type/:id/rename": { path: kept("/rename"), body: () => ({ name: "policy-new" }), expected: own },
  "PUT /container/:type/:id/stop": { path: kept("/stop"), expected: own },
  "DELETE /container/:type/:id": { path: kept(""), expected: own },

  "GET /event": { expected: all },
  "GET /registry": { expected: all },
  "POST /registry": {
    body: () => ({ method: "add", name: "policy", url: "https://policy.example.com", enableTrustCert: false }),
    expected: adminOnly,
  },
  "DELETE /registry": { body: () => ({ name: "kept" }), expected: adminOnly },
  "DELETE /registry/:name": { path: "/registry/kept2", expected: adminOnly },
  "GET /event/stream": { expected: all },

  // By a token of that role too, and no more than its owner may. This station has no LXC; `ipadd` is an admin's alone.
  "POST /v0.1/containers": { body: (role) => ({ name: `policy-${role}`, ostemplate: "a" }), expected: [403, 501, 501] },
  "GET /v0.1/containers": { expected: all },
  "GET /v0.1/containers/:id": { path: `/v0.1/containers/${uuid}`, expected: [404, 404, 404] },
  "PATCH /v0.1/containers/:id": {
    path: `/v0.1/containers/${uuid}`,
    body: () => ({ parameters: { hostname: "a" } }),
    expected: [403, 404, 404],
  },
  "DELETE /v0.1/containers/:id": { path: `/v0.1/containers/${uuid}`, expected: [403, 404, 404] },
  "POST /v0.1/containers/:id/start": { path: `/v0.1/containers/${uuid}/start`, expected: [403, 404, 404] },
  "POST /v0.1/containers/:id/stop": { path: `/v0.1/containers/${uuid}/stop`, expected: [403, 404, 404] },
  "POST /v0.1/containers/:id/restart": { path: `/v0.1/containers/${uuid}/restart`, expected: [403, 404, 404] },
  "GET /v0.1/jobs": { expected: all },
  "GET /v0.1/jobs/:id": { path: `/v0.1/jobs/${uuid}`, expected: [404, 404, 404] },

  "GET /system": { expected: all },
  "GET /system/resource": { expected: all },
  "GET /system/port/:protocol/:port": { path: "/system/port/tcp/80", expected: all },
  "GET /system/bridge": { expected: all },
  "GET /system/report": { expected: adminOnly },
  "GET /tls": { expected: adminOnly },
  "POST /tls": { body: () => ({ outdatedNotify: false }), expected: adminOnly },
  "GET /tls/domain_names": { expected: adminOnly },
  "PUT /tls/domain_names": { body: () => ({ domain_names: "policy.example" }), expected: adminOnly },
  "GET /tls/export": { expected: adminOnly },
  "GET /tls/export/registry": { expected: adminOnly },
  "POST /tls/rotation": { expected: adminOnly },
};
