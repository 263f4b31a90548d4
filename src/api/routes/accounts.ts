import { Type } from "typebox";
import {
  ChangedUser,
  NewUser,
  PasswordChange,
  PasswordChanged,
  SecondStepBegin,
  SecondStepCodes,
  SecondStepEnd,
  SecondStepFinish,
  SecondStepSecret,
  SecondStepState,
  StationUser,
  Token,
  TokenRequest,
  UserChangeRequest,
} from "../account.ts";
import type { RouteTable } from "../route.ts";

const tag = "accounts";
const users = "/api/v1/users";
const tokens = "/api/v1/tokens";
const secondStep = "/api/v1/two-step";
const Named = Type.Object({ username: Type.String() });

/** Users and their passwords. */
const userRoutes = {
  "users.list": {
    method: "GET",
    path: users,
    tag,
    summary: "List users",
    verb: "user:list",
    audited: false,
    response: Type.Array(StationUser),
  },
  "users.create": {
    method: "POST",
    path: users,
    tag,
    summary: "Add a user",
    verb: "user:create",
    audited: true,
    body: NewUser,
    response: StationUser,
  },
  "users.change": {
    method: "PUT",
    path: `${users}/:username`,
    tag,
    summary: "Change a user, and end his sessions; a new password ends his tokens too",
    verb: "user:change",
    audited: true,
    params: Named,
    body: UserChangeRequest,
    response: ChangedUser,
  },
  "users.remove": {
    method: "DELETE",
    path: `${users}/:username`,
    tag,
    summary: "Remove a user",
    verb: "user:remove",
    audited: true,
    params: Named,
    response: Named,
  },
  "users.changePassword": {
    method: "PUT",
    path: "/api/v1/password",
    tag,
    summary: "Change one's own password; one's other sessions and one's tokens end",
    verb: "password:change",
    audited: true,
    body: PasswordChange,
    response: PasswordChanged,
  },
} satisfies RouteTable;

/** API tokens. */
const tokenRoutes = {
  "tokens.list": {
    method: "GET",
    path: tokens,
    tag,
    summary: "List API tokens",
    verb: "token:list",
    audited: false,
    response: Type.Array(Token),
  },
  "tokens.create": {
    method: "POST",
    path: tokens,
    tag,
    summary: "Make an API token; it is shown only now",
    verb: "token:create",
    audited: true,
    body: TokenRequest,
    response: Token,
  },
  "tokens.remove": {
    method: "DELETE",
    path: `${tokens}/:id`,
    tag,
    summary: "Revoke an API token",
    verb: "token:remove",
    audited: true,
    params: Type.Object({ id: Type.String({ pattern: "^[0-9]{1,15}$", description: "A token's id" }) }),
    response: Token,
  },
} satisfies RouteTable;

/** 2-step verification of one's own account. */
const secondStepRoutes = {
  "secondStep.get": {
    method: "GET",
    path: secondStep,
    tag,
    summary: "Is 2-step verification on for one's account",
    verb: "second-step:get",
    audited: false,
    response: SecondStepState,
  },
  "secondStep.begin": {
    method: "POST",
    path: secondStep,
    tag,
    summary: "A secret for an authenticator app",
    verb: "second-step:change",
    audited: true,
    body: SecondStepBegin,
    response: SecondStepSecret,
  },
  "secondStep.finish": {
    method: "PUT",
    path: secondStep,
    tag,
    summary: "Turn 2-step verification on",
    verb: "second-step:change",
    audited: true,
    body: SecondStepFinish,
    response: SecondStepCodes,
  },
  "secondStep.end": {
    method: "DELETE",
    path: secondStep,
    tag,
    summary: "Turn 2-step verification off",
    verb: "second-step:change",
    audited: true,
    body: SecondStepEnd,
    response: SecondStepState,
  },
} satisfies RouteTable;

/** Users, their tokens and their second step. */
export const accountRoutes = { ...userRoutes, ...tokenRoutes, ...secondStepRoutes };
