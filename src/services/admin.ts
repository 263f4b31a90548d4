import { randomBytes } from "node:crypto";
import { AppError } from "../errors.ts";
import type { AccountStore } from "../storage/account-store.ts";
import { hashPassword, passwordMatches } from "./password.ts";

const shortest = 8;

/**
 * The local administrator `admin` exists when this returns, with the configured password if there is one. A password that
 * was made up because there was none is shown before it is stored: whatever fails then, nobody is locked out.
 */
export async function ensureAdmin(
  accounts: AccountStore,
  configured: string | undefined,
  show: (password: string) => void,
): Promise<void> {
  if (configured !== undefined && configured.length < shortest) {
    throw new AppError("conflict", `The password of admin has fewer than ${shortest} characters: choose a longer one.`);
  }
  const admin = await accounts.getUser("admin");
  if (admin && (configured === undefined || (await passwordMatches(configured, admin.passwordHash)))) return;
  const password = configured ?? randomBytes(15).toString("base64url");
  if (configured === undefined) show(password);
  await accounts.saveUser({ name: "admin", role: "admin", passwordHash: await hashPassword(password) });
}
