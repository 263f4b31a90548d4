import type { DatabaseSync } from "node:sqlite";
import type { AccountVerbs, TokenRow } from "../../account-store.ts";
import { createSessionVerbs } from "./sessions.ts";
import { createUserVerbs } from "./users.ts";

/** The verbs of users, second steps, sessions and tokens. */
export function createAccountVerbs(db: DatabaseSync, host: string): AccountVerbs {
  return {
    ...createUserVerbs(db, host),
    ...createSecondStepVerbs(db),
    ...createSessionVerbs(db),
    ...createTokenVerbs(db),
  };
}

function createSecondStepVerbs(db: DatabaseSync) {
  const saveTotp = db.prepare("UPDATE user SET totp = ?, totp_step = 0 WHERE name = ?");
  const useStep = db.prepare("UPDATE user SET totp_step = ? WHERE name = ? AND totp_step < ?");
  const dropCodes = db.prepare("DELETE FROM recovery_code WHERE user = ?");
  const addCode = db.prepare("INSERT INTO recovery_code (user, hash) VALUES (?, ?)");
  const useCode = db.prepare("DELETE FROM recovery_code WHERE user = ? AND hash = ?");
  const countCodes = db.prepare("SELECT count(*) AS count FROM recovery_code WHERE user = ?");
  return {
    saveTotp({ name, totp, codes }: Parameters<AccountVerbs["saveTotp"]>[0]): void {
      saveTotp.run(totp, name);
      dropCodes.run(name);
      for (const hash of codes) addCode.run(name, hash);
    },
    useTotpStep: ({ name, step }: { name: string; step: number }) => useStep.run(step, name, step).changes > 0,
    useRecoveryCode: ({ name, hash }: { name: string; hash: string }) => useCode.run(name, hash).changes > 0,
    recoveryCodes: (name: string) => countCodes.get(name)?.["count"] as number,
  };
}

function createTokenVerbs(db: DatabaseSync) {
  const dropExpired = db.prepare("DELETE FROM api_token WHERE expires_at <= ?");
  const list = db.prepare(
    "SELECT id, hash, user, name, role, created_at AS createdAt, expires_at AS expiresAt FROM api_token ORDER BY id",
  );
  const find = db.prepare("SELECT id FROM api_token WHERE user = ? AND name = ?");
  const count = db.prepare("SELECT count(*) AS count FROM api_token WHERE user = ?");
  const insert = db.prepare(
    "INSERT INTO api_token (hash, user, name, role, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const remove = db.prepare("DELETE FROM api_token WHERE id = ?");
  const removeOf = db.prepare("DELETE FROM api_token WHERE user = ?");
  return {
    tokens(now: number): TokenRow[] {
      dropExpired.run(now);
      return list.all() as unknown as TokenRow[];
    },
    addToken({ token, most }: Parameters<AccountVerbs["addToken"]>[0]) {
      dropExpired.run(token.createdAt);
      if (find.get(token.user, token.name)) return "taken" as const;
      if ((count.get(token.user)?.["count"] as number) >= most) return "full" as const;
      const { hash, user, name, role, createdAt, expiresAt } = token;
      return { id: Number(insert.run(hash, user, name, role, createdAt, expiresAt).lastInsertRowid) };
    },
    removeToken(id: number): void {
      remove.run(id);
    },
    removeTokensOf(user: string): void {
      removeOf.run(user);
    },
  };
}
