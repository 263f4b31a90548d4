import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { copyDebianImages, nowhere } from "../support/system-images.ts";
import {
  startSystemWorld,
  type SystemType,
  type SystemWorld,
  type SystemWorldOptions,
} from "../support/system-station.ts";

export interface Answer {
  status: number;
  // The test says what is in it.
  json: any;
}

/** A station whose containers-and-jobs API is open on 127.0.0.1:5050, as the issue starts it. */
export interface OpenvzWorld {
  system: SystemWorld;
  send(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Runs a documented command line, and answers what it printed. */
  shell(command: string): Answer;
  /** The job, when it has ended. */
  ended(job: string): Promise<Record<string, string>>;
  /** Makes a container, and answers its UUID. */
  make(name: string, template?: string): Promise<string>;
  get(id: string): Promise<Record<string, any>>;
  update(id: string, parameters: Record<string, string>): Promise<Answer>;
}

export const address = "127.0.0.1:5050";
const base = `http://${address}/v0.1`;

/** With the Debian that this host builds as template1. */
export function startOpenvzDebian(type: SystemType, flags: readonly string[] = []): Promise<OpenvzWorld> {
  const prepare = (dataDir: string) => copyDebianImages(join(dataDir, "images"));
  return startOpenvz(type, { imageServer: nowhere, prepare, flags });
}

/** With the image server's small ones, of which the template `small` is one. */
export async function startOpenvz(type: SystemType, options: SystemWorldOptions = {}): Promise<OpenvzWorld> {
  const flags = [
    "--openvz-template",
    "small=test/base",
    "--openvz-listen",
    address,
    "--openvz-auth",
    "none",
    "--openvz-template",
    "template1=debian-bookworm",
  ];
  const system = await startSystemWorld({
    ...options,
    flags: [...flags, "--openvz-engine", type, ...(options.flags ?? [])],
  });

  async function send(method: string, path: string, body?: unknown): Promise<Answer> {
    const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(`${base}${path}`, { method, ...(text !== undefined && { body: text }) });
    return { status: response.status, json: JSON.parse(await response.text()) };
  }

  function shell(command: string): Answer {
    const written = execFileSync("sh", ["-c", `${command} --silent --noproxy '*' --write-out '\\n%{http_code}'`], {
      encoding: "utf8",
    });
    const cut = written.lastIndexOf("\n");
    return { status: Number(written.slice(cut + 1)), json: JSON.parse(written.slice(0, cut)) };
  }

  async function ended(job: string): Promise<Record<string, string>> {
    const begun = Date.now();
    for (;;) {
      const { json } = await send("GET", `/jobs/${job}`);
      if (json.status !== "pending") return json;
      const taken = Date.now() - begun;
      if (taken > 300_000) throw new Error(`job ${job} has not ended: ${JSON.stringify(json)}`);
      await sleep(Math.min(20 + taken / 10, 300));
    }
  }

  return {
    system,
    send,
    shell,
    ended,
    async make(name, template = "small") {
      const { status, json } = await send("POST", "/containers/", { name, ostemplate: template });
      assert.equal(status, 202, JSON.stringify(json));
      const job = await ended(json.job_id);
      assert.equal(job["status"], "done", JSON.stringify(job));
      return job["entity_id"] ?? "";
    },
    async get(id) {
      const { status, json } = await send("GET", `/containers/${id}`);
      assert.equal(status, 200, JSON.stringify(json));
      return json.container;
    },
    update: (id, parameters) => send("PATCH", `/containers/${id}`, { parameters }),
  };
}
