import { Type } from "typebox";
import {
  ChangedUser,
  NewUser,
  PasswordChange,
  PasswordChanged,
  SecondStepBegin,
  SecondStepEnd,
  SecondStepFinish,
  StationUser,
  Token,
  TokenRequest,
  UserChangeRequest,
} from "../../api/account.ts";
import type { SecondStepService, Services, TokenService, UserService } from "../../services/contract/services.ts";
import type { App } from "../app.ts";
import { callerOf } from "../session-cookie.ts";

const tags = ["accounts"];
const Named = Type.Object({ username: Type.String() });

export function accountRoutes(app: App, { users, tokens, secondStep }: Services): void {
  userRoutes(app, users);
  tokenRoutes(app, tokens);
  secondStepRoutes(app, secondStep);
}

function userRoutes(app: App, users: UserService): void {
  const base = "/api/v1/users";
  const response = { 200: StationUser };
  const list = { tags, summary: "List users", response: { 200: Type.Array(StationUser) } };
  app.get(base, { schema: list }, (request) => users.list(callerOf(request)));

  const create = { tags, summary: "Add a user", body: NewUser, response };
  app.post(base, { schema: create }, (request) => users.create(callerOf(request), request.body));

  const change = {
    tags,
    summary: "Change a user, and end his sessions; a new password ends his tokens too",
    params: Named,
    body: UserChangeRequest,
    response: { 200: ChangedUser },
  };
  app.put(`${base}/:username`, { schema: change }, (request) =>
    users.change(callerOf(request), request.params.username, request.body),
  );

  const remove = { tags, summary: "Remove a user", params: Named, response: { 200: Named } };
  app.delete(`${base}/:username`, { schema: remove }, (request) =>
    users.remove(callerOf(request), request.params.username),
  );

  const password = {
    tags,
    summary: "Change one's own password; one's other sessions and one's tokens end",
    body: PasswordChange,
    response: { 200: PasswordChanged },
  };
  app.put("/api/v1/password", { schema: password }, (request) => users.changePassword(callerOf(request), request.body));
}

function tokenRoutes(app: App, tokens: TokenService): void {
  const base = "/api/v1/tokens";
  const list = { tags, summary: "List API tokens", response: { 200: Type.Array(Token) } };
  app.get(base, { schema: list }, (request) => tokens.list(callerOf(request)));

  const create = {
    tags,
    summary: "Make an API token; it is shown only now",
    body: TokenRequest,
    response: { 200: Token },
  };
  app.post(base, { schema: create }, (request) => tokens.create(callerOf(request), request.body));

  const params = Type.Object({ id: Type.String({ pattern: "^[0-9]{1,15}$", description: "A token's id" }) });
  const remove = { tags, summary: "Revoke an API token", params, response: { 200: Token } };
  app.delete(`${base}/:id`, { schema: remove }, (request) =>
    tokens.remove(callerOf(request), Number(request.params.id)),
  );
}

function secondStepRoutes(app: App, secondStep: SecondStepService): void {
  const path = "/api/v1/two-step";
  const State = Type.Object({ enabled: Type.Boolean(), recovery_codes: Type.Integer({ description: "Codes left" }) });
  const get = { tags, summary: "Is 2-step verification on for one's account", response: { 200: State } };
  app.get(path, { schema: get }, (request) => secondStep.get(callerOf(request)));

  const Secret = Type.Object({ secret: Type.String(), uri: Type.String({ description: "For a QR code" }) });
  const begin = {
    tags,
    summary: "A secret for an authenticator app",
    body: SecondStepBegin,
    response: { 200: Secret },
  };
  app.post(path, { schema: begin }, (request) => secondStep.begin(callerOf(request), request.body));

  const Codes = Type.Object({ enabled: Type.Boolean(), recovery_codes: Type.Array(Type.String()) });
  const finish = { tags, summary: "Turn 2-step verification on", body: SecondStepFinish, response: { 200: Codes } };
  app.put(path, { schema: finish }, (request) => secondStep.finish(callerOf(request), request.body));

  const end = { tags, summary: "Turn 2-step verification off", body: SecondStepEnd, response: { 200: State } };
  app.delete(path, { schema: end }, (request) => secondStep.end(callerOf(request), request.body));
}
