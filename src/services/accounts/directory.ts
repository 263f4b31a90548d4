import type { AccountStore, UserRow } from "../../storage/account-store.ts";

/** All users of the station, in memory, as they are in the store. */
export interface Directory {
  /** Returns a user, even a disabled one. */
  get(name: string): UserRow | undefined;
  /** Lists all users. */
  list(): UserRow[];
  /** Tells whether a user who was authenticated has still the same password and second step. */
  isCurrent(user: UserRow): boolean;
  /** Reads a user again that was changed in the store. Returns the user as of now. */
  refresh(name: string): Promise<UserRow | undefined>;
  /** Says whether the host has no such user any more. An absent user cannot log in. */
  setAbsent(name: string, absent: boolean): void;
}

/** Reads the users into memory. */
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
