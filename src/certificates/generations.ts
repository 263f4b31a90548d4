import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../errors.ts";
import { disk as realDisk, type Disk } from "./durable-disk.ts";
import type { Pair } from "./issuing.ts";

/** The certificates and settings that are replaced together. */
export interface Generation {
  /** The station's private authority, which signed the other two. */
  authority: Pair;
  /** The pair of the HTTPS server and of the Docker gateway's server. */
  server: Pair;
  /** The only client's pair that the Docker gateway accepts. */
  client: Pair;
  /** Host names and addresses that the server's certificate has in addition to the host's own. */
  domainNames: readonly string[];
  /** Serial number of the client certificate whose end is not warned of; "" if the warning is on. */
  mutedClientSerial: string;
}

export interface Generations {
  /**
   * Reads the present generation. Returns undefined if there was none yet. Throws `conflict` if files are damaged or
   * readable by others.
   */
  read(): Generation | undefined;
  /** Replaces the present generation. If the process or the host dies on the way, the old or the new one is there whole. */
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
 * Keeps generations in a folder. Each is a folder `generation-N`; the symbolic link `current` points to the present one. A
 * new generation is written and flushed under another name; the rename of the link then puts it into force. The next write
 * removes what a killed process left behind.
 */
export function createGenerations(folder: string, disk: Disk = realDisk): Generations {
  function currentName(): string | undefined {
    try {
      return readlinkSync(join(folder, current));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw damaged(folder, error);
    }
  }

  async function removeOthers(except: string | undefined): Promise<void> {
    for (const name of await disk.list(folder)) {
      if (name !== except && name !== current) await disk.remove(join(folder, name));
    }
  }

  async function writeFiles(path: string, generation: Generation): Promise<void> {
    await disk.makeFolder(path);
    for (const [part, half, name] of files) await disk.write(join(path, name), generation[part][half]);
    const { domainNames, mutedClientSerial: silenced } = generation;
    await disk.write(join(path, settingsFile), JSON.stringify({ domainNames, silenced }));
    await disk.flush(path);
  }

  return {
    read() {
      const name = currentName();
      if (name === undefined) return undefined;
      try {
        return readFolder(join(folder, name));
      } catch (error) {
        throw error instanceof AppError ? error : damaged(folder, error);
      }
    },
    async write(generation) {
      const before = currentName();
      await removeOthers(before);
      const name = `generation-${Number(folderName.exec(before ?? "")?.[1] ?? 0) + 1}`;
      const staging = join(folder, "new");
      await writeFiles(staging, generation).catch(async (error: unknown) => {
        // On a full disk the half-written files would take up room that others need.
        await disk.remove(staging).catch(() => undefined);
        throw error;
      });
      await disk.rename(staging, join(folder, name));
      await disk.flush(folder);
      await disk.link(name, join(folder, "next"));
      await disk.rename(join(folder, "next"), join(folder, current));
      await disk.flush(folder);
      await removeOthers(name);
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
  const { domainNames, silenced } = JSON.parse(read(settingsFile)) as { domainNames: string[]; silenced: string };
  return { authority, server, client, domainNames, mutedClientSerial: silenced };
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
