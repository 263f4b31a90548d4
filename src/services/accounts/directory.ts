import type { AccountStore, UserRow } from "../../storage/account-store.ts";

/** All users of the station, in memory: whoever asks gets what is true now. */
export interface Directory {
  /** Also a disabled one. */
  get(name: string): UserRow | undefined;
  /** Lists all users. */
  list(): UserRow[];
  /** Whether somebody who proved to be this user would still be let in: by the same password and second step. */
  isCurrent(user: UserRow): boolean;
  /** Reads a user again that was changed in the store; answers what it is now. */
  refresh(name: string): Promise<UserRow | undefined>;
  /** The host has no such user any more, or has him again: until then he is as good as disabled. */
  setAbsent(name: string, absent: boolean): void;
}

export async function createDirectory(accounts: AccountStore): Promise<Directory> {
  const users = new Map((await accounts.users()).map((user) => [user.name, user]));
  const absent = new Set<string>();
  const now = (user: UserRow): UserRow => (absent.has(user.name) ? { ...user, disabled: true } : user);
  return {
    get(name) {
      const user = users.get(name);
      return user && now(user);
    },
    isCurrent({ name, passwordHash, totp }) {
      const user = users.get(name);
      return user !== undefined && !now(user).disabled && user.passwordHash === passwordHash && user.totp === totp;
    },
    list: () => [...users.values()].map(now).sort((a, b) => (a.name < b.name ? -1 : 1)),
    setAbsent(name, isAbsent) {
      if (isAbsent) absent.add(name);
      else absent.delete(name);
    },
    async refresh(name) {
      const user = await accounts.getUser(name);
      if (user) users.set(name, user);
      else users.delete(name);
      return user && now(user);
    },
  };
}
