import { webcrypto } from "node:crypto";
import type * as X509 from "@peculiar/x509";
import type { Pem } from "./bundle.ts";

// The one must be there before the other is loaded.
await import("reflect-metadata");
const x509 = await import("@peculiar/x509");
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const day = 24 * 3600_000;

interface Wish {
  /** The authority that signs, as PEM; without it the certificate signs itself. */
  authority?: { certificate: string; key: string };
  subject?: X509.JsonName;
  usage?: string | undefined;
  isAuthority?: boolean;
  from?: number;
  to?: number;
}

/** A client certificate as an intruder may have it. */
export async function forge(wish: Wish): Promise<Pem> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const subject = wish.subject ?? [{ CN: ["Gantry client"] }];
  const times = {
    notBefore: new Date(Date.now() + (wish.from ?? -1) * day),
    notAfter: new Date(Date.now() + (wish.to ?? 30) * day),
  };
  const extensions: X509.Extension[] = [new x509.BasicConstraintsExtension(wish.isAuthority ?? false, undefined, true)];
  if (wish.usage !== undefined) extensions.push(new x509.ExtendedKeyUsageExtension([wish.usage]));
  const common = { serialNumber: "4242", ...times, signingAlgorithm: algorithm, extensions };
  const { authority } = wish;
  const certificate = authority
    ? await x509.X509CertificateGenerator.create({
        ...common,
        subject,
        issuer: new x509.X509Certificate(authority.certificate).subject,
        publicKey: keys.publicKey,
        signingKey: await importKey(authority.key),
      })
    : await x509.X509CertificateGenerator.createSelfSigned({ ...common, name: subject, keys });
  return { cert: certificate.toString("pem"), key: await exportKey(keys.privateKey) };
}

async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const [bytes] = x509.PemConverter.decode(pem);
  return webcrypto.subtle.importKey("pkcs8", bytes ?? new ArrayBuffer(0), algorithm, false, ["sign"]);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}
