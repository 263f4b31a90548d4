import { Type, type Static } from "typebox";

/** The user of a session. `logintime` is local time, "YYYY-MM-DD HH:MM:SS". */
export const SessionInfo = Type.Object(
  { anonymous: Type.Boolean(), isAdmin: Type.Boolean(), logintime: Type.String(), username: Type.String() },
  { $id: "SessionInfo" },
);
export type SessionInfo = Static<typeof SessionInfo>;

/** By name and password, or by the id of a session that exists. */
export const LoginRequest = Type.Object(
  {
    username: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    password: Type.Optional(Type.String({ minLength: 1, maxLength: 1024 })),
    sid: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  },
  { additionalProperties: false, $id: "LoginRequest" },
);
export type LoginRequest = Static<typeof LoginRequest>;

/** A base64 of 1,024 bytes. */
const longestPassword = 1368;

/** Fields of the NAS's login page, in its query or its body. Clients send further ones, which are ignored. */
export const LoginPage = Type.Object({
  user: Type.Optional(Type.String({ maxLength: 128 })),
  pwd: Type.Optional(Type.String({ maxLength: longestPassword, description: "The password in base64" })),
  plain_pwd: Type.Optional(Type.String({ maxLength: 1024, description: "The password as it is" })),
  security_code: Type.Optional(Type.String({ maxLength: 64, description: "Of 2-step verification" })),
  sid: Type.Optional(Type.String({ maxLength: 256, description: "A session that exists" })),
});
export type LoginPage = Static<typeof LoginPage>;

export const LogoutAnswer = Type.Object({ username: Type.String() }, { $id: "LogoutAnswer" });
