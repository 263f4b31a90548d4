import type { X509Certificate as Issuer, Extension } from "@peculiar/x509";
import { createPrivateKey, randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";

/** A certificate and its private key, both as PEM. */
export interface Pair {
  /** The certificate in PEM. */
  certificate: string;
  /** The private key in PEM (PKCS #8). */
  key: string;
}

const hour = 3600_000;
const day = 24 * hour;
const authorityLife = 3650 * day;
/** Apple's systems refuse a server's certificate that is valid longer (support.apple.com/HT210176). */
export const leafLife = 825 * day;
/** Certificates are valid from an hour before now, because a client's clock may be slow. */
const backdating = hour;
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
/** An authority that ends within this time is replaced by a rotation: a new certificate would outlive it. */
export const authorityReserve = leafLife + day;

/** Issues a private authority. Its name has a random part, so that clients never confuse two authorities. */
export async function issueAuthority(now: number): Promise<Pair> {
  const x509 = await loadX509();
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: [{ CN: [`Gantry CA ${randomBytes(4).toString("hex")}`] }],
    notBefore: new Date(now - backdating),
    notAfter: new Date(now - backdating + authorityLife),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return toPair(certificate.toString("pem"), keys);
}

/** Issues a server's certificate for host names and addresses, which `parseDomainNames` must have checked. */
export async function issueServer(authority: Pair, names: readonly string[], now: number): Promise<Pair> {
  const { ExtendedKeyUsage, SubjectAlternativeNameExtension } = await loadX509();
  const alternatives = names.map((value) => ({ type: isIP(value) ? ("ip" as const) : ("dns" as const), value }));
  const extensions = [new SubjectAlternativeNameExtension(alternatives)];
  return issueLeaf(authority, { name: "Gantry server", usage: ExtendedKeyUsage.serverAuth, extensions, now });
}

/** Issues a client's certificate. Its subject has no meaning: whoever holds it and its key is admitted. */
export async function issueClient(authority: Pair, now: number): Promise<Pair> {
  const { ExtendedKeyUsage } = await loadX509();
  return issueLeaf(authority, { name: "Gantry client", usage: ExtendedKeyUsage.clientAuth, extensions: [], now });
}

interface Leaf {
  name: string;
  usage: string;
  extensions: Extension[];
  now: number;
}

async function issueLeaf(authority: Pair, { name, usage, extensions, now }: Leaf): Promise<Pair> {
  const x509 = await loadX509();
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
  return toPair(certificate.toString("pem"), keys);
}

/** Keeps a certificate's validity within that of its authority, even if this host's clock was set back. */
function validity(issuer: Issuer, now: number): { notBefore: Date; notAfter: Date } {
  const from = Math.max(now - backdating, issuer.notBefore.getTime());
  return { notBefore: new Date(from), notAfter: new Date(Math.min(from + leafLife, issuer.notAfter.getTime())) };
}

/** Returns 127 random bits in hexadecimal. The first of them is always set, so that all serials have one length. */
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

async function toPair(certificate: string, { privateKey }: webcrypto.CryptoKeyPair): Promise<Pair> {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", privateKey));
  const key = createPrivateKey({ key: bytes, type: "pkcs8", format: "der" }).export({ type: "pkcs8", format: "pem" });
  return { certificate: `${certificate.trim()}\n`, key: String(key) };
}

/** Loads the library only when a certificate is issued, which is seldom, so that starts do not pay for it. */
async function loadX509(): Promise<typeof import("./x509.ts")> {
  await import("reflect-metadata");
  return import("./x509.ts");
}
