import { X509Certificate } from "node:crypto";
import { chmodSync, mkdirSync } from "node:fs";
import { AppError } from "../errors.ts";
import { createGenerations, type Generation, type Generations } from "./generations.ts";
import { authorityReserve, issueAuthority, issueClient, issueServer, type Pair } from "./issuing.ts";
import { covers, hostNames } from "./names.ts";
import { createMutex } from "../util/concurrency.ts";
import type { Log } from "../util/log.ts";

const day = 24 * 3600_000;
/** A certificate that ends within this time is outdated. */
export const outdatedWithin = 30 * day;

/**
 * The certificates of the station: its private authority, the pair of its HTTPS server, and the client's pair that opens
 * the Docker gateway. Changes are carried out one after the other, each whole or not at all; a change throws `disk_full` if
 * the disk has no room, and then the certificates stay as they were.
 */
export interface Certificates {
  /** Returns the certificates in force. */
  current(): Generation;
  /** Replaces the server's and the client's pair. The old pairs are void when this resolves. */
  rotate(): Promise<void>;
  /** Issues a new server's certificate for the host's own names and these. The client's pair stays. */
  setDomainNames(names: readonly string[]): Promise<void>;
  /** Switches on or off the warning before the present client certificate ends. */
  setNotify(notify: boolean): Promise<void>;
  /** Renews the server's certificate if it ends within `outdatedWithin` or lacks a name or address of this host. */
  renew(): Promise<void>;
  /** Adds a listener that is called after each change of a certificate. */
  onChange(listener: () => void): void;
}

export interface CertificateOptions {
  /** Absolute path of the folder that holds the certificates; it is made if it is missing. */
  folder: string;
  /** Returns the present time in epoch milliseconds. Absent: the host's clock. */
  now?: () => number;
  /** Reads and writes the certificates' files. Absent: on the disk, in `folder`. */
  generations?: Generations;
  /** Is called if there were no certificates. Absent at the first start of a station, where that is normal. */
  log?: Log;
}

/** Opens the certificates, and makes them if there are none. Throws `conflict` if there are some and they are damaged. */
export async function openCertificates(options: CertificateOptions): Promise<Certificates> {
  const { folder, now = Date.now } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const generations = options.generations ?? createGenerations(folder);
  const listeners: (() => void)[] = [];
  const found = generations.read();
  if (!found) options.log?.warn("A certificate authority is made", { folder });
  let present = found ?? (await createFirst(generations, now()));
  const runExclusive = createMutex();

  async function apply(make: (before: Generation) => Promise<Generation>): Promise<void> {
    const before = present;
    try {
      await generations.write(await make(before));
    } catch (error) {
      throw toAppError(folder, error);
    } finally {
      // Even after a failure the certificates on the disk are the ones in force.
      present = generations.read() ?? before;
      if (!haveSameCertificates(present, before)) for (const listener of listeners) listener();
    }
  }

  function change(make: (before: Generation) => Promise<Generation>): Promise<void> {
    return runExclusive(() => apply(make));
  }

  return {
    current: () => present,
    rotate: () => change((before) => makeRotated(before, now())),
    setDomainNames: (domainNames) => change((before) => withServer({ ...before, domainNames }, now())),
    setNotify: (notify) =>
      change(async (before) => ({ ...before, mutedClientSerial: notify ? "" : serialOf(before.client.certificate) })),
    async renew() {
      const { server, domainNames } = present;
      const fresh = endOf(server.certificate) - now() > outdatedWithin || endsWithAuthority(present);
      if (fresh && covers(server.certificate, [...hostNames(), ...domainNames])) return;
      await change((before) => withServer(before, now()));
    },
    onChange: (listener) => void listeners.push(listener),
  };
}

/** Returns when a certificate in PEM ends, in epoch milliseconds. */
export function endOf(certificate: string): number {
  return new X509Certificate(certificate).validToDate.getTime();
}

/** Returns the serial number of a certificate in PEM, in hexadecimal. */
export function serialOf(certificate: string): string {
  return new X509Certificate(certificate).serialNumber;
}

async function createFirst(generations: Generations, now: number): Promise<Generation> {
  const authority = await issueAuthority(now);
  const made = await withClient({ authority, domainNames: [], mutedClientSerial: "" }, now);
  await generations.write(made);
  return generations.read() ?? made;
}

/** Makes new pairs. The authority is kept if it outlives a certificate that is issued now, otherwise it is replaced too. */
async function makeRotated(before: Generation, now: number): Promise<Generation> {
  const stays = endOf(before.authority.certificate) - now > authorityReserve;
  const authority = stays ? before.authority : await issueAuthority(now);
  return withClient({ authority, domainNames: before.domainNames, mutedClientSerial: "" }, now);
}

async function withClient(base: Omit<Generation, "client" | "server">, now: number): Promise<Generation> {
  const client = await issueClient(base.authority, now);
  return withServer({ ...base, client }, now);
}

async function withServer(base: Omit<Generation, "server">, now: number): Promise<Generation> {
  const names = [...new Set([...hostNames(), ...base.domainNames])];
  return { ...base, server: await issueServer(base.authority, names, now) };
}

/** If the server's certificate ends with its authority, a renewal would not help; only a rotation does. */
function endsWithAuthority({ authority, server }: Generation): boolean {
  return endOf(server.certificate) >= endOf(authority.certificate);
}

function haveSameCertificates(one: Generation, other: Generation): boolean {
  const same = (a: Pair, b: Pair) => a.certificate === b.certificate;
  return same(one.server, other.server) && same(one.client, other.client) && same(one.authority, other.authority);
}

function toAppError(folder: string, error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== "ENOSPC") return error;
  return new AppError("disk_full", `The disk that holds ${folder} is full: the old certificates stay.`, {
    cause: error,
  });
}
