import { AppError, hasCode, invalid, messageOf } from "../../errors.ts";
import type { UserRow } from "../../storage/account-store.ts";
import type { Audit } from "../audit/audit.ts";
import type { Login } from "../contract/account-services.ts";
import type { Caller } from "../contract/caller.ts";
import type { Credentials } from "./credentials.ts";

export interface LoginOptions {
  /** Checks passwords and second steps. */
  credentials: Credentials;
  /** Writes the activity log. */
  audit: Audit;
  /** Returns the user of the session with this id. */
  userOfSession(sid: string): UserRow | undefined;
}

/** Makes the functions that check a login and return its user. Each try is in the activity log, except requests that lack a field. */
export function createLogin({ credentials, audit, userOfSession }: LoginOptions) {
  async function userOf({ address }: Caller, request: Login): Promise<UserRow> {
    if (request.sid !== undefined) {
      const user = userOfSession(request.sid);
      if (!user) throw new AppError("unauthenticated", "This sid is unknown or has expired.");
      return user;
    }
    const { username, password, code } = request;
    if (username === undefined) throw invalid("username", "is missing");
    if (password === undefined) throw invalid("password", "is missing");
    return credentials.check({ username, password, code }, address);
  }

  return async function logIn(caller: Caller, request: Login): Promise<UserRow> {
    const act = { address: caller.address, action: "login" };
    try {
      const user = await userOf(caller, request);
      await audit.done({ ...act, user: user.name, target: user.name }, `Login: ${user.name}`);
      return user;
    } catch (error) {
      const target = request.username ?? "a sid";
      if (!hasCode(error, "invalid"))
        audit.refused({ ...act, user: "", target }, `Login of ${target}: ${messageOf(error)}`);
      throw error;
    }
  };
}
