import type { X509Certificate as Issuer } from "@peculiar/x509";
import { createPrivateKey, randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";

/** A certificate and its private key, both as PEM. */
export interface Pair {
  certificate: string;
  key: string;
}

const hour = 3600_000;
const day = 24 * hour;
const authorityLife = 3650 * day;
/** Browsers and Apple's systems refuse a longer one. */
export const leafLife = 825 * day;
/** A client's clock may be behind. */
const backdated = hour;
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
/** So much of an authority's time that a whole certificate fits in. */
export const authorityReserve = leafLife + day;

/** A private authority; its name is its own, so that two of them are never taken for each other. */
export async function issueAuthority(now: number): Promise<Pair> {
  const x509 = await library();
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: [{ CN: [`Gantry CA ${randomBytes(4).toString("hex")}`] }],
    notBefore: new Date(now - backdated),
    notAfter: new Date(now - backdated + authorityLife),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return pairOf(certificate.toString("pem"), keys);
}

/** For these names and addresses, which must be checked already. */
export async function issueServer(authority: Pair, names: readonly string[], now: number): Promise<Pair> {
  const { ExtendedKeyUsage, SubjectAlternativeNameExtension } = await library();
  const alternatives = names.map((value) => ({ type: isIP(value) ? ("ip" as const) : ("dns" as const), value }));
  const extensions = [new SubjectAlternativeNameExtension(alternatives)];
  return issueLeaf(authority, { name: "Gantry server", usage: ExtendedKeyUsage.serverAuth, extensions, now });
}

/** Whoever has it and its key is let in; what it says of its owner decides nothing. */
export async function issueClient(authority: Pair, now: number): Promise<Pair> {
  const { ExtendedKeyUsage } = await library();
  return issueLeaf(authority, { name: "Gantry client", usage: ExtendedKeyUsage.clientAuth, extensions: [], now });
}

interface Leaf {
  name: string;
  usage: string;
  extensions: import("@peculiar/x509").Extension[];
  now: number;
}

async function issueLeaf(authority: Pair, { name, usage, extensions, now }: Leaf): Promise<Pair> {
  const x509 = await library();
  const issuer = new x509.X509Certificate(authority.certificate);
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: [{ CN: [name] }],
    issuer: issuer.subject,
    ...validity(issuer, now),
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.key),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...extensions,
    ],
  });
  return pairOf(certificate.toString("pem"), keys);
}

/** Never outside the time of its authority, whatever this host's clock says today. */
function validity(issuer: Issuer, now: number): { notBefore: Date; notAfter: Date } {
  const from = Math.max(now - backdated, issuer.notBefore.getTime());
  return { notBefore: new Date(from), notAfter: new Date(Math.min(from + leafLife, issuer.notAfter.getTime())) };
}

/** 127 random bits, the first one set: never the same twice, and of one length. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const bytes = createPrivateKey(pem).export({ type: "pkcs8", format: "der" });
  return webcrypto.subtle.importKey("pkcs8", bytes, algorithm, false, ["sign"]);
}

async function pairOf(certificate: string, { privateKey }: webcrypto.CryptoKeyPair): Promise<Pair> {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", privateKey));
  const key = createPrivateKey({ key: bytes, type: "pkcs8", format: "der" }).export({ type: "pkcs8", format: "pem" });
  return { certificate: `${certificate.trim()}\n`, key: String(key) };
}

/** Loaded when a certificate is made, which is seldom: every start would pay for it. */
async function library(): Promise<typeof import("@peculiar/x509")> {
  await import("reflect-metadata");
  return import("@peculiar/x509");
}
