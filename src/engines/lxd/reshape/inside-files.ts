import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import { hasCode } from "../../../errors.ts";
import { reasonOf } from "../failures.ts";
import type { ExecRequest } from "../../container-life.ts";
import type { Exec } from "../exec/exec.ts";
import type { LxdHttp } from "../client/http.ts";
import { findInstance, instancePath } from "../client/instance.ts";

/** Files of a container, as its own root sees them, running or not: LXD opens them from within, so no link leads out. */
export interface InsideFiles {
  /**
   * Returns what is at a path; undefined when there is nothing. It opens nothing, so nothing that is there can make it
   * wait.
   */
  kind(name: string, path: string): Promise<"file" | "symlink" | "directory" | undefined>;
  /** Returns a file; undefined when there is nothing. */
  read(name: string, path: string): Promise<InsideFile | undefined>;
  /** Puts a file there, in the place of all but a folder, which stays. */
  replace(name: string, path: string, text: string): Promise<void>;
  /** Makes a folder where there is nothing; the folder above is there. */
  makeFolder(name: string, path: string): Promise<void>;
  /** Writes a small file into this folder and deletes it again. Throws what LXD says when that cannot be. */
  probe(name: string, folder: string): Promise<void>;
  /** Deletes a file or an empty folder; none is no error. */
  remove(name: string, path: string): Promise<void>;
}

/** What is at a path of a container. */
export interface InsideFile {
  /** `other`: what is too large, or does not end. */
  kind: "file" | "symlink" | "directory" | "other";
  /** The content of a file; "" for all else. */
  text: string;
}

/** What is read is written by the container's own root, who may put anything there. */
const readLimit = 1 << 20;
const readPatience = 3_000;
/** More than all files together that are put there. */
const probeSize = 16 << 10;

/** Returns the files of the containers of one LXD. */
export function createInsideFiles(http: LxdHttp, exec: Exec): InsideFiles {
  const put = createPut(http);
  const readText = createReadText(http, exec, put);

  async function kind(name: string, path: string) {
    try {
      const { headers } = await retryForkfile(() => http.raw(filePath(name, path), { method: "HEAD" }));
      const told = headers["x-lxd-type"];
      return told === "symlink" || told === "directory" ? told : "file";
    } catch (error) {
      if (hasCode(error, "not_found")) return undefined;
      throw error;
    }
  }

  async function read(name: string, path: string): Promise<InsideFile | undefined> {
    const there = await kind(name, path);
    if (there !== "file") return there && { kind: there, text: "" };
    const text = await readText(name, path);
    return text === undefined ? { kind: "other", text: "" } : { kind: "file", text };
  }

  async function replace(name: string, path: string, text: string): Promise<void> {
    const present = await read(name, path);
    if (present?.kind === "directory" || (present?.kind === "file" && present.text === text)) return;
    // LXD would write to where a link leads, and into a pipe. What is mounted there stays.
    if (present && present.kind !== "file") await remove(name, path).catch(() => undefined);
    await put(name, path, text);
  }

  async function probe(name: string, folder: string): Promise<void> {
    const path = `${folder}/.gantry-${randomUUID()}`;
    try {
      await put(name, path, " ".repeat(probeSize));
    } finally {
      await remove(name, path).catch(() => undefined);
    }
  }

  async function makeFolder(name: string, path: string): Promise<void> {
    if (await kind(name, path)) return;
    const headers = { "X-LXD-type": "directory", "X-LXD-uid": "0", "X-LXD-gid": "0", "X-LXD-mode": "0755" };
    await retryForkfile(() => http.send({ method: "POST", path: filePath(name, path), headers }));
  }

  async function remove(name: string, path: string): Promise<void> {
    try {
      await retryForkfile(() => http.send({ method: "DELETE", path: filePath(name, path) }));
    } catch (error) {
      if (!hasCode(error, "not_found")) throw error;
    }
  }

  return { kind, read, replace, makeFolder, probe, remove };
}

function filePath(name: string, path: string): string {
  return `${instancePath(name)}/files?path=${encodeURIComponent(path)}`;
}

type Put = (name: string, path: string, text: string, how?: Record<string, string>) => Promise<void>;

/** Returns what writes a file of root's through LXD. `how`: further headers of the request. */
function createPut(http: LxdHttp): Put {
  return async function put(name, path, text, how = {}) {
    const content = Buffer.from(text);
    const upload = {
      type: "application/octet-stream",
      length: content.length,
      open: async function* () {
        yield content;
      },
    };
    const headers = { "X-LXD-type": "file", "X-LXD-uid": "0", "X-LXD-gid": "0", "X-LXD-mode": "0644", ...how };
    await retryForkfile(() => http.send({ method: "POST", path: filePath(name, path), upload, headers }));
  };
}

/** Returns what reads a file as text; undefined when it is too large or does not end. */
function createReadText(http: LxdHttp, exec: Exec, put: Put) {
  return async function readText(name: string, path: string): Promise<string | undefined> {
    const running = (await findInstance(http, name))?.status === "Running";
    return running ? readInside(name, path) : readByLxd(name, path);
  };

  /**
   * Reads a file by a program inside: what LXD itself opens while somebody inside changes it may hold LXD for ever, and
   * with it the container.
   */
  async function readInside(name: string, path: string): Promise<string | undefined> {
    const request: ExecRequest = { command: ["cat", path], environment: [] };
    const result = await exec(name, request, AbortSignal.timeout(readPatience)).catch(() => undefined);
    return result?.exitCode === 0 && !result.truncated ? result.stdout : undefined;
  }

  async function readByLxd(name: string, path: string): Promise<string | undefined> {
    const signal = AbortSignal.timeout(readPatience);
    try {
      return (await retryForkfile(() => http.raw(filePath(name, path), { limit: readLimit, signal }))).body;
    } catch (error) {
      if (hasCode(error, "too_large")) return undefined;
      if (!signal.aborted) throw error;
      // A pipe, at which LXD waits until somebody writes.
      await put(name, path, "", { "X-LXD-write": "append" });
      return undefined;
    }
  }
}

const tries = 20;
const pause = 100;

/**
 * Repeats a call that LXD's program for files (forkfile) ended in: that ends with the container, also in the middle,
 * and a HEAD has no words for its failure. That there is no such file is an answer (404), and the failure of the program
 * is none (500).
 */
async function retryForkfile<T>(act: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act();
    } catch (error) {
      if (attempt === tries || hasCode(error, "not_found") || !/forkfile|^no files\?/.test(reasonOf(error)))
        throw error;
      await delay(pause);
    }
  }
}
