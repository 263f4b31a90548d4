import type { AccountStore, UserRow } from "../../storage/account-store.ts";

/** All users of the station, in memory: whoever asks gets what is true now. */
export interface Directory {
  /** Also a disabled one. */
  get(name: string): UserRow | undefined;
  list(): UserRow[];
  /** Reads a user again that was changed in the store; answers what it is now. */
  refresh(name: string): Promise<UserRow | undefined>;
}

export async function createDirectory(accounts: AccountStore): Promise<Directory> {
  const users = new Map((await accounts.users()).map((user) => [user.name, user]));
  return {
    get: (name) => users.get(name),
    list: () => [...users.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    async refresh(name) {
      const user = await accounts.getUser(name);
      if (user) users.set(name, user);
      else users.delete(name);
      return user;
    },
  };
}
