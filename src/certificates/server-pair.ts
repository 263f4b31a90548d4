import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, unwatchFile, watchFile } from "node:fs";
import { AppError } from "../errors.ts";
import type { Certificates } from "./certificates.ts";
import type { Pair } from "./issuing.ts";
import type { Log } from "../util/log.ts";

/** The certificate and key of a TLS server, which may change while it runs. */
export interface ServerPair {
  /** Returns the pair in force. */
  current(): Pair;
  /** Adds a listener that is called after the pair has changed. */
  onChange(listener: () => void): void;
  /** Stops watching for changes. */
  close(): void;
}

export interface PairFiles {
  /** Absolute path of a PEM file: the certificate, followed by its chain. */
  certificate: string;
  /** Absolute path of a PEM file: the private key. */
  key: string;
}

/** Milliseconds. */
const checkInterval = 2_000;

/** Returns the server's pair that the station's own authority issued. */
export function stationPair(certificates: Certificates): ServerPair {
  return { current: () => certificates.current().server, onChange: certificates.onChange, close: () => undefined };
}

/**
 * Reads a pair from files that the administrator provides, and reads them again whenever they change, because programs that
 * renew certificates do not notify the station. Throws `conflict` if the files do not hold a certificate and its key. If
 * they stop doing so later, the former pair stays in force until they do again.
 */
export function watchPairFiles(files: PairFiles, log: Log): ServerPair {
  const listeners: (() => void)[] = [];
  let present = readPair(files);
  const reload = (): void => {
    try {
      const next = readPair(files);
      if (next.certificate === present.certificate && next.key === present.key) return;
      present = next;
      log.info("The certificate's files have changed, and are used", { ...files });
      for (const listener of listeners) listener();
    } catch (error) {
      log.warn("The certificate's files have changed, and are no pair: the one before stays", { ...files, error });
    }
  };
  const paths = [files.certificate, files.key];
  for (const path of paths) watchFile(path, { interval: checkInterval, persistent: false }, reload);
  return {
    current: () => present,
    onChange: (listener) => void listeners.push(listener),
    close: () => paths.forEach((path) => unwatchFile(path, reload)),
  };
}

function readPair(files: PairFiles): Pair {
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
