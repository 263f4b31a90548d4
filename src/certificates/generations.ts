import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../errors.ts";
import { disk as realDisk, type Disk } from "./disk.ts";
import type { Pair } from "./issue.ts";

/** All that belongs together, and is replaced together. */
export interface Generation {
  authority: Pair;
  server: Pair;
  client: Pair;
  /** Names and addresses that the server's certificate has beside the host's own. */
  domainNames: readonly string[];
  /** Serial of the client certificate whose end nobody wants to be told of. */
  silenced: string;
}

export interface Generations {
  /** `undefined`: there was none yet. Throws `conflict` when files are damaged, or can be read by others. */
  read(): Generation | undefined;
  /** All or nothing, whatever is cut off in the middle. */
  write(generation: Generation): Promise<void>;
}

const files = [
  ["authority", "certificate", "ca.pem"],
  ["authority", "key", "ca-key.pem"],
  ["server", "certificate", "server.pem"],
  ["server", "key", "server-key.pem"],
  ["client", "certificate", "client.pem"],
  ["client", "key", "client-key.pem"],
] as const;
const settingsFile = "settings.json";
const current = "current";
const folderName = /^generation-(\d+)$/;

/**
 * A generation is a folder `generation-N`; `current` is a link to the one that counts. A new one is written and flushed
 * under another name, and its turn comes with the rename of the link: until then the old one counts, from then on the
 * new one. What a kill leaves behind is removed with the next change.
 */
export function createGenerations(folder: string, disk: Disk = realDisk): Generations {
  function target(): string | undefined {
    try {
      return readlinkSync(join(folder, current));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw damaged(folder, error);
    }
  }

  async function clear(except: string | undefined): Promise<void> {
    for (const name of await disk.list(folder)) {
      if (name !== except && name !== current) await disk.remove(join(folder, name));
    }
  }

  async function fill(path: string, generation: Generation): Promise<void> {
    await disk.makeFolder(path);
    for (const [part, half, name] of files) await disk.write(join(path, name), generation[part][half]);
    const { domainNames, silenced } = generation;
    await disk.write(join(path, settingsFile), JSON.stringify({ domainNames, silenced }));
    await disk.flush(path);
  }

  return {
    read() {
      const name = target();
      if (name === undefined) return undefined;
      try {
        return readFolder(join(folder, name));
      } catch (error) {
        throw error instanceof AppError ? error : damaged(folder, error);
      }
    },
    async write(generation) {
      const before = target();
      await clear(before);
      const name = `generation-${Number(folderName.exec(before ?? "")?.[1] ?? 0) + 1}`;
      const staging = join(folder, "new");
      await fill(staging, generation).catch(async (error: unknown) => {
        // On a full disk it would be in the way of others.
        await disk.remove(staging).catch(() => undefined);
        throw error;
      });
      await disk.rename(staging, join(folder, name));
      await disk.flush(folder);
      await disk.link(name, join(folder, "next"));
      await disk.rename(join(folder, "next"), join(folder, current));
      await disk.flush(folder);
      await clear(name);
    },
  };
}

function readFolder(path: string): Generation {
  const read = (name: string): string => readPrivate(join(path, name));
  const pair = (certificate: string, key: string): Pair => ({ certificate: read(certificate), key: read(key) });
  const authority = pair("ca.pem", "ca-key.pem");
  const server = pair("server.pem", "server-key.pem");
  const client = pair("client.pem", "client-key.pem");
  const issuer = new X509Certificate(authority.certificate).publicKey;
  for (const { certificate, key } of [authority, server, client]) {
    const parsed = new X509Certificate(certificate);
    if (!parsed.checkPrivateKey(createPrivateKey(key))) throw new Error("a key does not belong to its certificate");
    if (!parsed.verify(issuer)) throw new Error("a certificate is not of this authority");
  }
  const settings = JSON.parse(read(settingsFile)) as Pick<Generation, "domainNames" | "silenced">;
  return { authority, server, client, domainNames: settings.domainNames, silenced: settings.silenced };
}

function readPrivate(path: string): string {
  if (statSync(path).mode & 0o077)
    throw new AppError("conflict", `The file ${path} can be read by others: chmod 600 it first.`);
  return readFileSync(path, "utf8");
}

function damaged(folder: string, cause: unknown): AppError {
  const advice = "put them back, or remove that folder to get new ones with a new authority";
  return new AppError("conflict", `The certificates in ${folder} are damaged: ${advice}.`, { cause });
}
