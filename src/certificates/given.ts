import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, unwatchFile, watchFile } from "node:fs";
import { AppError } from "../errors.ts";
import type { Certificates } from "./certificates.ts";
import type { Pair } from "./issue.ts";
import type { Log } from "../util/log.ts";

/** The pair that a TLS server shows now. */
export interface ServerPair {
  current(): Pair;
  /** Called when there is another one. */
  onChange(listener: () => void): void;
  close(): void;
}

export interface GivenFiles {
  /** PEM, the chain after the certificate. */
  certificate: string;
  key: string;
}

const lookEvery = 2_000;

/** The station's own server's pair. */
export function ownPair(certificates: Certificates): ServerPair {
  return { current: () => certificates.current().server, onChange: certificates.onChange, close: () => undefined };
}

/**
 * Somebody else's pair, looked at again whenever its files change: what renews them need not tell the station. Throws
 * `conflict` when they are no pair; later the one before stays until they are one again.
 */
export function givenPair(files: GivenFiles, log: Log): ServerPair {
  const listeners: (() => void)[] = [];
  let present = readPair(files);
  const look = (): void => {
    try {
      const next = readPair(files);
      if (next.certificate === present.certificate && next.key === present.key) return;
      present = next;
      log("The certificate's files have changed, and are used", { ...files });
      for (const listener of listeners) listener();
    } catch (error) {
      log("The certificate's files have changed, and are no pair: the one before stays", { ...files, error });
    }
  };
  const paths = [files.certificate, files.key];
  for (const path of paths) watchFile(path, { interval: lookEvery, persistent: false }, look);
  return {
    current: () => present,
    onChange: (listener) => void listeners.push(listener),
    close: () => paths.forEach((path) => unwatchFile(path, look)),
  };
}

function readPair(files: GivenFiles): Pair {
  const pair = { certificate: read(files.certificate), key: read(files.key) };
  try {
    if (new X509Certificate(pair.certificate).checkPrivateKey(createPrivateKey(pair.key))) return pair;
  } catch (cause) {
    throw new AppError("conflict", `${files.certificate} and ${files.key} are no certificate and key in PEM.`, {
      cause,
    });
  }
  throw new AppError("conflict", `The key ${files.key} does not belong to the certificate ${files.certificate}.`);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new AppError("conflict", `${path} cannot be read; check its path and rights.`, { cause });
  }
}
