import { X509Certificate } from "node:crypto";
import { chmodSync, mkdirSync } from "node:fs";
import { AppError } from "../errors.ts";
import { createGenerations, type Generation, type Generations } from "./generations.ts";
import { authorityReserve, issueAuthority, issueClient, issueServer, type Pair } from "./issue.ts";
import { covers, hostNames } from "./names.ts";
import type { Log } from "../util/log.ts";

const day = 24 * 3600_000;
/** A certificate that ends within this time is outdated. */
export const outdatedWithin = 30 * day;

/** The station's own authority, its server's certificate and the client's that opens the Docker endpoint. */
export interface Certificates {
  current(): Generation;
  /** A new server's and a new client's pair; the old ones count no more when this resolves. */
  rotate(): Promise<void>;
  /** Renews the server's certificate, with these names beside the host's own; the client's stays. */
  setDomainNames(names: readonly string[]): Promise<void>;
  /** Whether to tell of the present client certificate's end. */
  setNotify(notify: boolean): Promise<void>;
  /** Renews the server's certificate when its end is near, or this host has a name or address that it lacks. */
  renew(): Promise<void>;
  /** Called after each change. */
  onChange(listener: () => void): void;
}

export interface CertificateOptions {
  /** Made when it is not there. */
  folder: string;
  /** Epoch milliseconds. */
  now?: () => number;
  generations?: Generations;
  /** Told when there were none; at a first start that is nothing to tell. */
  log?: Log;
}

/** At the first start they are made. Throws `conflict` when there are some that are damaged. */
export async function openCertificates(options: CertificateOptions): Promise<Certificates> {
  const { folder, now = Date.now } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const generations = options.generations ?? createGenerations(folder);
  const listeners: (() => void)[] = [];
  const found = generations.read();
  if (!found) options.log?.("A certificate authority is made", { folder });
  let present = found ?? (await first(generations, now()));
  let last: Promise<void> = Promise.resolve();

  async function apply(make: (before: Generation) => Promise<Generation>): Promise<void> {
    const before = present;
    try {
      await generations.write(await make(before));
    } catch (error) {
      throw refusal(folder, error);
    } finally {
      // Whatever failed, what counts is what the disk says.
      present = generations.read() ?? before;
      if (!sameFiles(present, before)) for (const listener of listeners) listener();
    }
  }

  /** One after the other. */
  function change(make: (before: Generation) => Promise<Generation>): Promise<void> {
    const turn = last.then(() => apply(make));
    last = turn.catch(() => undefined);
    return turn;
  }

  return {
    current: () => present,
    rotate: () => change((before) => rotated(before, now())),
    setDomainNames: (domainNames) => change((before) => withServer({ ...before, domainNames }, now())),
    setNotify: (notify) =>
      change(async (before) => ({ ...before, silenced: notify ? "" : serialOf(before.client.certificate) })),
    async renew() {
      const { server, domainNames } = present;
      const fresh = endOf(server.certificate) - now() > outdatedWithin || endsWithAuthority(present);
      if (fresh && covers(server.certificate, [...hostNames(), ...domainNames])) return;
      await change((before) => withServer(before, now()));
    },
    onChange: (listener) => void listeners.push(listener),
  };
}

/** The end of a certificate in PEM, as epoch milliseconds. */
export function endOf(certificate: string): number {
  return new X509Certificate(certificate).validToDate.getTime();
}

export function serialOf(certificate: string): string {
  return new X509Certificate(certificate).serialNumber;
}

async function first(generations: Generations, now: number): Promise<Generation> {
  const authority = await issueAuthority(now);
  const made = await withClient({ authority, domainNames: [], silenced: "" }, now);
  await generations.write(made);
  return generations.read() ?? made;
}

/** The authority stays as long as a whole certificate fits into its time. */
async function rotated(before: Generation, now: number): Promise<Generation> {
  const stays = endOf(before.authority.certificate) - now > authorityReserve;
  const authority = stays ? before.authority : await issueAuthority(now);
  return withClient({ authority, domainNames: before.domainNames, silenced: "" }, now);
}

async function withClient(base: Omit<Generation, "client" | "server">, now: number): Promise<Generation> {
  const client = await issueClient(base.authority, now);
  return withServer({ ...base, client }, now);
}

async function withServer(base: Omit<Generation, "server">, now: number): Promise<Generation> {
  const names = [...new Set([...hostNames(), ...base.domainNames])];
  return { ...base, server: await issueServer(base.authority, names, now) };
}

/** Then a new one would end as soon: only a rotation helps, and the client's certificate tells. */
function endsWithAuthority({ authority, server }: Generation): boolean {
  return endOf(server.certificate) >= endOf(authority.certificate);
}

function sameFiles(one: Generation, other: Generation): boolean {
  const same = (a: Pair, b: Pair) => a.certificate === b.certificate;
  return same(one.server, other.server) && same(one.client, other.client) && same(one.authority, other.authority);
}

function refusal(folder: string, error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== "ENOSPC") return error;
  return new AppError("disk_full", `The disk that holds ${folder} is full: the old certificates stay.`, {
    cause: error,
  });
}
