import { hasCode } from "../../errors.ts";
import type { LxdHttp } from "./http.ts";
import { instancePath } from "./instance.ts";

/** Files of a container, as its own root sees them, running or not: LXD opens them from within, so no link leads out. */
export interface InsideFiles {
  /** `undefined`: there is nothing. The text of a link is where it leads. */
  read(name: string, path: string): Promise<InsideFile | undefined>;
  /** Puts a file there, in the place of a link too. */
  replace(name: string, path: string, text: string): Promise<void>;
  makeFolder(name: string, path: string): Promise<void>;
  remove(name: string, path: string): Promise<void>;
}

export interface InsideFile {
  kind: "file" | "symlink" | "directory" | "other";
  text: string;
}

/** What is read is written by the container's own root, who may put anything there. */
const readLimit = 1 << 20;

export function createInsideFiles(http: LxdHttp): InsideFiles {
  const at = (name: string, path: string): string => `${instancePath(name)}/files?path=${encodeURIComponent(path)}`;

  async function read(name: string, path: string): Promise<InsideFile | undefined> {
    try {
      const { headers, body } = await http.plain(at(name, path), { limit: readLimit });
      const kind = headers["x-lxd-type"];
      const known = kind === "file" || kind === "symlink" || kind === "directory";
      return { kind: known ? kind : "other", text: body };
    } catch (error) {
      if (hasCode(error, "not_found")) return undefined;
      throw error;
    }
  }

  async function replace(name: string, path: string, text: string): Promise<void> {
    const present = await read(name, path);
    if (present?.kind === "file" && present.text === text) return;
    // LXD would write to where a link leads.
    if (present && present.kind !== "file") await remove(name, path);
    const content = Buffer.from(text);
    await http.send({
      method: "POST",
      path: at(name, path),
      upload: {
        type: "application/octet-stream",
        length: content.length,
        open: async function* () {
          yield content;
        },
      },
      headers: { "X-LXD-type": "file", "X-LXD-uid": "0", "X-LXD-gid": "0", "X-LXD-mode": "0644" },
    });
  }

  async function makeFolder(name: string, path: string): Promise<void> {
    if (await read(name, path)) return;
    const headers = { "X-LXD-type": "directory", "X-LXD-uid": "0", "X-LXD-gid": "0", "X-LXD-mode": "0755" };
    await http.send({ method: "POST", path: at(name, path), headers });
  }

  async function remove(name: string, path: string): Promise<void> {
    try {
      await http.send({ method: "DELETE", path: at(name, path) });
    } catch (error) {
      if (!hasCode(error, "not_found")) throw error;
    }
  }

  return { read, replace, makeFolder, remove };
}
