import { Type, type Static } from "typebox";

/** A private registry. A stored password is never in a response. */
export const Registry = Type.Object({
  enableTrustCert: Type.Boolean(),
  id: Type.Integer(),
  metadata: Type.Unknown(),
  name: Type.String(),
  password: Type.String(),
  url: Type.String(),
  username: Type.String(),
  version: Type.String(),
});

/** `privateRegistry` is the id of the default one. */
export const RegistryList = Type.Object(
  { privateRegistry: Type.Integer(), registries: Type.Array(Registry) },
  { $id: "RegistryList" },
);
export type RegistryList = Static<typeof RegistryList>;

const printable = "A text without control characters";

export const RegistryRequest = Type.Object(
  {
    method: Type.Union([Type.Literal("add"), Type.Literal("edit")]),
    name: Type.String({
      pattern: "^[a-zA-Z0-9][a-zA-Z0-9 _.-]{0,63}$",
      description: "1 to 64 letters, digits, spaces, '_', '.' or '-'",
    }),
    url: Type.String({ maxLength: 2048 }),
    enableTrustCert: Type.Boolean(),
    version: Type.Optional(Type.String({ maxLength: 16 })),
    setToDefault: Type.Optional(Type.Boolean()),
    username: Type.Optional(
      Type.String({ pattern: "^[^\\u0000-\\u001f\\u007f]*$", maxLength: 256, description: printable }),
    ),
    password: Type.Optional(
      Type.String({ pattern: "^[^\\u0000-\\u001f\\u007f]*$", maxLength: 1024, description: printable }),
    ),
    oldname: Type.Optional(Type.String({ maxLength: 64 })),
  },
  { additionalProperties: false, $id: "RegistryRequest" },
);
export type RegistryRequest = Static<typeof RegistryRequest>;

/** The registry that is to be removed. */
export const RegistryName = Type.Object({ name: Type.String({ maxLength: 64 }) }, { additionalProperties: false });
