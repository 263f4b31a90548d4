import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "certificates-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs openssl and returns what it prints. Throws if it fails. */
export function openssl(...args: string[]): string {
  return execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Returns the public keys of a certificate and of a private key, for comparison. */
export function keysOf(folder: string, name: string): { certificate: string; key: string } {
  return {
    certificate: openssl("x509", "-in", join(folder, `${name}.pem`), "-noout", "-pubkey"),
    key: openssl("pkey", "-in", join(folder, `${name}-key.pem`), "-pubout"),
  };
}

/** Runs a rotation that kills itself before its call `step` on the disk. Returns its output and the signal, if any. */
export async function rotateUntil(folder: string, step: number): Promise<{ output: string; signal: string | null }> {
  const script = fileURLToPath(new URL("./rotate.ts", import.meta.url));
  const child = spawn(process.execPath, [script, folder, String(step)], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [, signal] = (await once(child, "close")) as [number | null, string | null];
  return { output, signal };
}
