import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before } from "node:test";
import { adminPassword, startStation, type TestStation } from "../support/station.ts";

export const admin = { username: "admin", password: adminPassword };

export interface Login {
  status: number;
  text: string;
  sid: string;
  headers: Headers;
}

/** A station for the tests of one file, and who logs in there. */
export interface SessionWorld {
  station(): TestStation;
  /** By JSON, or by a form's text; `cookie` is sent along. */
  login(body: object | string, cookie?: string): Promise<Login>;
  /** The session of a login of `admin`. */
  good(): Promise<string>;
  /** What a request with that session is answered. */
  status(sid: string): Promise<number>;
}

/** Guessing has tests of its own: there is no limit to it here. */
export function sessionWorld(env: Readonly<Record<string, string>> = {}): SessionWorld {
  let station: TestStation;
  before(async () => {
    station = await startStation({ flags: ["--login-tries", "100000", "--login-rate", "100000"], env });
  });
  after(() => station.close());

  async function login(body: object | string, cookie = ""): Promise<Login> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(`${station.url}/api/v1/login`, { method: "POST", body: text, headers: { cookie } });
    const { status, headers } = response;
    const sid = /^CS_SESS_ID=([^;]*)/.exec(headers.get("set-cookie") ?? "")?.[1] ?? "";
    return { status, headers, text: await response.text(), sid };
  }

  async function good(): Promise<string> {
    const { status, sid } = await login(admin);
    assert.equal(status, 200);
    return sid;
  }

  async function status(sid: string): Promise<number> {
    const response = await fetch(`${station.url}/api/v1/login_refresh`, { headers: { cookie: cookieOf(sid) } });
    await response.arrayBuffer();
    return response.status;
  }

  return { station: () => station, login, good, status };
}

export function cookieOf(sid: string): string {
  return `CS_SESS_ID=${sid}`;
}

/** What the database has of a session. */
export function hashOf(sid: string): string {
  return createHash("sha256").update(sid).digest("hex");
}
