import { Type, type Static } from "typebox";

/** The station's own routes for users, sessions, tokens and the second step. Times are epoch seconds. */
const closed = { additionalProperties: false };

const Role = Type.Union([Type.Literal("admin"), Type.Literal("operator"), Type.Literal("viewer")], {
  description:
    "admin: everything; operator: containers of his own, never privileged nor with devices; viewer: looks only",
});
const Username = Type.String({
  pattern: "^[a-zA-Z0-9_][a-zA-Z0-9_.@-]{0,63}$",
  description: "1 to 64 letters, digits, '_', '.', '@' or '-', the first a letter, a digit or '_'",
});
const Password = Type.String({ minLength: 1, maxLength: 1024 });
const Code = Type.String({ minLength: 1, maxLength: 64, description: "Six digits of the app, or a recovery code" });

export const StationUser = Type.Object(
  {
    username: Type.String(),
    role: Role,
    isAdmin: Type.Boolean(),
    source: Type.Union([Type.Literal("local"), Type.Literal("host")], { description: "host: by PAM" }),
    disabled: Type.Boolean(),
    second_step: Type.Boolean(),
    created: Type.Integer(),
  },
  { $id: "StationUser" },
);
export type StationUser = Static<typeof StationUser>;

export const NewUser = Type.Object(
  { username: Username, password: Password, role: Role },
  { ...closed, $id: "NewUser" },
);
export type NewUser = Static<typeof NewUser>;

const KeepTokens = Type.Optional(
  Type.Boolean({ description: "With a new password: whether the user's API tokens go on; without it they end" }),
);
const ended = {
  sessions_ended: Type.Integer({ description: "How many sessions of the user ended by it" }),
  tokens_ended: Type.Integer({ description: "How many API tokens of the user ended by it" }),
};

/** The user as he is now, and what ended by the change. */
export const ChangedUser = Type.Object({ ...StationUser.properties, ...ended }, { $id: "ChangedUser" });
export type ChangedUser = Static<typeof ChangedUser>;

export const PasswordChanged = Type.Object({ username: Type.String(), ...ended }, { $id: "PasswordChanged" });
export type PasswordChanged = Static<typeof PasswordChanged>;

export const UserChangeRequest = Type.Object(
  {
    role: Type.Optional(Role),
    password: Type.Optional(Password),
    keep_tokens: KeepTokens,
    disabled: Type.Optional(Type.Boolean()),
    second_step: Type.Optional(Type.Literal(false, { description: "Turns his 2-step verification off" })),
  },
  { ...closed, minProperties: 1, $id: "UserChangeRequest" },
);
export type UserChangeRequest = Static<typeof UserChangeRequest>;

export const PasswordChange = Type.Object(
  { current: Password, password: Password, keep_tokens: KeepTokens },
  { ...closed, $id: "PasswordChange" },
);
export type PasswordChange = Static<typeof PasswordChange>;

export const SessionEntry = Type.Object(
  {
    id: Type.String({ description: "Names the session in this list; it is not its sid" }),
    username: Type.String(),
    address: Type.String(),
    login: Type.Integer(),
    seen: Type.Integer(),
    current: Type.Boolean(),
  },
  { $id: "SessionEntry" },
);
export type SessionEntry = Static<typeof SessionEntry>;

export const TokenRequest = Type.Object(
  {
    name: Type.String({
      pattern: "^[a-zA-Z0-9][a-zA-Z0-9 _.-]{0,63}$",
      description: "1 to 64 letters, digits, spaces, '_', '.' or '-'",
    }),
    role: Type.Optional(Role),
    days: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 365, description: "It ends after so many; 90 without it" }),
    ),
  },
  { ...closed, $id: "TokenRequest" },
);
export type TokenRequest = Static<typeof TokenRequest>;

export const Token = Type.Object(
  {
    id: Type.Integer(),
    name: Type.String(),
    role: Role,
    username: Type.String(),
    created: Type.Integer(),
    expires: Type.Integer(),
    token: Type.Optional(Type.String({ description: "For Authorization: Bearer; shown only when it is made" })),
  },
  { $id: "Token" },
);
export type Token = Static<typeof Token>;

export const TwoStepLogin = Type.Object(
  { username: Type.String({ minLength: 1, maxLength: 128 }), password: Password, code: Code },
  { ...closed, $id: "TwoStepLogin" },
);
export const SecondStepBegin = Type.Object({ password: Password }, { ...closed, $id: "SecondStepBegin" });
export const SecondStepFinish = Type.Object({ code: Code }, { ...closed, $id: "SecondStepFinish" });
export const SecondStepEnd = Type.Object({ password: Password, code: Code }, { ...closed, $id: "SecondStepEnd" });

/** Whether 2-step verification is on for one's own account. */
export const SecondStepState = Type.Object({
  enabled: Type.Boolean(),
  recovery_codes: Type.Integer({ description: "Codes left" }),
});
/** The secret that an authenticator app is given. */
export const SecondStepSecret = Type.Object({
  secret: Type.String(),
  uri: Type.String({ description: "For a QR code" }),
});
/** The recovery codes, which are shown only when 2-step verification is turned on. */
export const SecondStepCodes = Type.Object({
  enabled: Type.Boolean(),
  recovery_codes: Type.Array(Type.String()),
});
