import { hash, randomBytes } from "node:crypto";
import { AppError, invalid } from "../../errors.ts";
import type { AccountStore, UserRow } from "../../storage/account-store.ts";
import type { Secrets } from "../secrets/secrets.ts";
import type { Directory } from "./directory.ts";
import { base32, totpStep } from "./totp.ts";

const recoveryCodes = 10;
/** Bytes of a recovery code: 80 bits cannot be tried out, so a plain hash keeps them. */
const codeBytes = 10;
/** Milliseconds that a secret waits for its first code. */
const enrolment = 10 * 60_000;

/** The second step of a login: a code of an authenticator app, or one of the recovery codes, each of which goes once. */
export interface SecondStep {
  /** Tells whether a code is right. A code is accepted once. */
  accepts(user: UserRow, code: string): Promise<boolean>;
  /** Makes a secret; nothing changes until `finish` has seen a code of it. */
  begin(name: string): { secret: string; uri: string };
  /** Turns it on. Returns the recovery codes, which are shown only now. */
  finish(name: string, code: string): Promise<string[]>;
  /** Ends the second step of a user. */
  end(name: string): Promise<void>;
  /** Recovery codes that are left. */
  left(name: string): Promise<number>;
}

/** Makes the second step of logins: codes of an app (TOTP, RFC 6238) and recovery codes. */
export function createSecondStep(deps: { accounts: AccountStore; directory: Directory; secrets: Secrets }): SecondStep {
  const { accounts, directory, secrets } = deps;
  const waiting = new Map<string, { secret: Buffer; until: number }>();
  const context = (name: string) => `second step of ${name}`;

  return {
    async accepts({ name, totp }, code) {
      const bare = code.replaceAll(/[\s-]/g, "").toUpperCase();
      const secret = Buffer.from(secrets.open(totp, context(name)), "base64");
      const step = totpStep(secret, bare, Date.now());
      if (step !== undefined) return accounts.useTotpStep({ name, step });
      return accounts.useRecoveryCode({ name, hash: hash("sha256", bare) });
    },
    begin(name) {
      const secret = randomBytes(20);
      waiting.set(name, { secret, until: performance.now() + enrolment });
      const text = base32(secret);
      return { secret: text, uri: `otpauth://totp/Gantry:${encodeURIComponent(name)}?secret=${text}&issuer=Gantry` };
    },
    async finish(name, code) {
      const begun = waiting.get(name);
      if (!begun || performance.now() > begun.until)
        throw new AppError("conflict", "There is no secret that waits for a code: begin again.");
      const step = totpStep(begun.secret, code.trim(), Date.now());
      if (step === undefined) throw invalid("code", "is not the code that belongs to the secret now");
      const codes = Array.from({ length: recoveryCodes }, () => base32(randomBytes(codeBytes)));
      const hashes = codes.map((one) => hash("sha256", one));
      await accounts.saveTotp({
        name,
        totp: secrets.seal(begun.secret.toString("base64"), context(name)),
        codes: hashes,
      });
      // The code that turned it on is used.
      await accounts.useTotpStep({ name, step });
      waiting.delete(name);
      await directory.refresh(name);
      return codes.map((one) => (one.match(/.{4}/g) ?? []).join("-"));
    },
    async end(name) {
      await accounts.saveTotp({ name, totp: "", codes: [] });
      await directory.refresh(name);
    },
    left: (name) => accounts.recoveryCodes(name),
  };
}
