import { randomBytes } from "node:crypto";
import { AppError } from "../errors.ts";
import type { AccountStore } from "../storage/account-store.ts";
import { hashPassword, passwordMatches } from "./password.ts";

const shortest = 8;

/**
 * The local administrator `admin` exists when this returns, with the configured password if there is one. Answers the
 * password that was made up because there was none: it is to be shown once.
 */
export async function ensureAdmin(accounts: AccountStore, configured: string | undefined): Promise<string | undefined> {
  if (configured !== undefined && configured.length < shortest) {
    throw new AppError("conflict", `The password of admin has fewer than ${shortest} characters: choose a longer one.`);
  }
  const admin = await accounts.getUser("admin");
  if (admin && (configured === undefined || (await passwordMatches(configured, admin.passwordHash)))) return undefined;
  const password = configured ?? randomBytes(15).toString("base64url");
  await accounts.saveUser({ name: "admin", role: "admin", passwordHash: await hashPassword(password) });
  return configured === undefined ? password : undefined;
}
