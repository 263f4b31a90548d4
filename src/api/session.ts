import { Type, type Static } from "typebox";

/** Who is logged in. `logintime` is local time, "YYYY-MM-DD HH:MM:SS". */
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

export const LogoutAnswer = Type.Object({ username: Type.String() }, { $id: "LogoutAnswer" });
