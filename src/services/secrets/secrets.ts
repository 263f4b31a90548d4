import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../../errors.ts";
import { writeDurably } from "../../util/write-durably.ts";

const keySize = 32;

/** Encrypts what must be kept and never shown. */
export interface Secrets {
  /** Encrypts a value. It opens only with the same `context`. An empty text stays empty. */
  seal(plain: string, context: string): string;
  /** Opens a sealed value. Throws `conflict` if it was sealed for something else, or with another key. */
  open(sealed: string, context: string): string;
}

/**
 * AES-256-GCM with the key in `secret.key` of the data folder. The key is made at the first start only: a missing,
 * readable or damaged one later is an error, never silently a new key.
 */
export function openSecrets(dataDir: string, firstStart: boolean): Secrets {
  const key = readKey(join(dataDir, "secret.key"), firstStart);
  return {
    seal(plain, context) {
      if (plain === "") return "";
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(context));
      const sealed = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64");
    },
    open(sealed, context) {
      if (sealed === "") return "";
      const bytes = Buffer.from(sealed, "base64");
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12), { authTagLength: 16 });
        decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(12, 28));
        return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString("utf8");
      } catch (cause) {
        throw new AppError("conflict", `The stored secret of ${context} cannot be opened; enter it again.`, { cause });
      }
    },
  };
}

function readKey(path: string, firstStart: boolean): Buffer {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) {
    if (firstStart) return writeKey(path);
    throw new AppError("conflict", `The key ${path} is missing: put it back, or start with another data folder.`);
  }
  if (!found.isFile() || found.size !== keySize)
    throw new AppError("conflict", `The key ${path} is damaged: put the right one back.`);
  if (found.mode & 0o077) throw new AppError("conflict", `The key ${path} can be read by others: chmod 600 it first.`);
  return readFileSync(path);
}

/** Makes a key and writes it durably. Returns it. */
function writeKey(path: string): Buffer {
  const key = randomBytes(keySize);
  writeDurably(path, key);
  return key;
}
