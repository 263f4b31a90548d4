import { once } from "node:events";
import { Agent, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { adminPassword, startStation, type StationOptions, type TestStation } from "../support/station.ts";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** Parsed, when it is JSON. */
  json: any;
  /** Of a session that it began. */
  sid: string;
  /** Milliseconds until the headers came. */
  took: number;
}

export interface Sent {
  body?: unknown;
  /** A session's id, sent as the cookie. */
  sid?: string;
  token?: string;
  headers?: Record<string, string>;
  /** The address that it comes from, any of 127.0.0.0/8. */
  from?: string;
}

export type Send = (method: string, path: string, sent?: Sent) => Promise<Answer>;

const agent = new Agent({ keepAlive: false, maxSockets: 2000 });

/** Sends what it is told to a station; paths begin below /api/v1, unless they are another's. */
export function senderTo(url: string): Send {
  return async (method, path, { body, sid, token, headers = {}, from } = {}) => {
    const whole = /^\/(cgi-bin|healthz|openapi|v0\.1)/.test(path) ? path : `/api/v1${path}`;
    const begun = performance.now();
    const request = httpRequest(`${url}${whole}`, { method, agent, ...(from && { localAddress: from }) });
    const all = {
      ...(sid !== undefined && { cookie: `CS_SESS_ID=${sid}` }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    };
    for (const [name, value] of Object.entries(all)) request.setHeader(name, value);
    const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    if (text !== undefined) request.setHeader("content-length", Buffer.byteLength(text));
    request.end(text);
    const [response] = await once(request, "response");
    const took = performance.now() - begun;
    const stream = String(response.headers["content-type"]).startsWith("text/event-stream");
    const chunks: Buffer[] = [];
    if (stream) response.destroy();
    else for await (const chunk of response) chunks.push(chunk);
    const answer = Buffer.concat(chunks).toString();
    const isJson = String(response.headers["content-type"]).startsWith("application/json") && answer !== "";
    return {
      status: response.statusCode,
      headers: response.headers,
      text: answer,
      json: isJson ? JSON.parse(answer) : undefined,
      sid: /^CS_SESS_ID=([^;]*)/.exec(String(response.headers["set-cookie"] ?? ""))?.[1] ?? "",
      took,
    };
  };
}

export interface World {
  station: TestStation;
  send: Send;
  /** The session of admin. */
  admin: string;
  /** Makes a user, and answers a session of his. */
  user(username: string, role: string): Promise<string>;
  login(username: string, password?: string, from?: string): Promise<Answer>;
}

export const userPassword = "a good password";

export async function openWorld(options: StationOptions = {}): Promise<World> {
  const station = await startStation(options);
  const send = senderTo(station.url);
  const login: World["login"] = (username, password = adminPassword, from) =>
    send("POST", "/login", { body: { username, password }, ...(from !== undefined && { from }) });
  const admin = (await login("admin")).sid;
  return {
    station,
    send,
    admin,
    login,
    async user(username, role) {
      const made = await send("POST", "/users", { sid: admin, body: { username, role, password: userPassword } });
      if (made.status !== 200) throw new Error(made.text);
      return (await login(username, userPassword)).sid;
    },
  };
}
