import { randomBytes } from "node:crypto";
import { AppError } from "../../errors.ts";
import type { AccountStore } from "../../storage/account-store.ts";
import { hashPassword, passwordMatches } from "./password.ts";

const shortest = 8;

/**
 * The station has an administrator when this returns: `admin` with the configured password if there is one, and at the
 * first start in any case. A password that was made up because there was none is shown before it is stored: whatever
 * fails then, nobody is locked out. A configured password that is new also gets an admin back in who was disabled.
 */
export async function ensureAdmin(
  accounts: AccountStore,
  configured: string | undefined,
  show: (password: string) => void,
): Promise<void> {
  if (configured !== undefined && configured.length < shortest) {
    throw new AppError("conflict", `The password of admin has fewer than ${shortest} characters: choose a longer one.`);
  }
  if (configured === undefined && (await accounts.users()).some(({ role }) => role === "admin")) return;
  const admin = await accounts.getUser("admin");
  const isAdmin = admin?.role === "admin" && admin.source === "local" && !admin.disabled;
  if (isAdmin && configured !== undefined && (await passwordMatches(configured, admin.passwordHash))) return;
  const password = configured ?? randomBytes(15).toString("base64url");
  if (configured === undefined) show(password);
  await accounts.saveUser({ name: "admin", role: "admin", passwordHash: await hashPassword(password) });
}
