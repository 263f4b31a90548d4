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

  "GET /background": { expected: all },
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
  "GET /registry": { expected: all },
  "POST /registry": {
    body: () => ({ method: "add", name: "policy", url: "https://policy.example.com", enableTrustCert: false }),
    expected: adminOnly,
  },
  "DELETE /registry": { body: () => ({ name: "kept" }), expected: adminOnly },
  "DELETE /registry/:name": { path: "/registry/kept2", expected: adminOnly },
  "GET /event/stream": { expected: all },

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
