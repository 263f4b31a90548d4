import { type Static, Type } from "typebox";

export const TlsInfo = Type.Object({
  enddate: Type.String({ description: "YYYY-MM-DD, of the client certificate" }),
  outdatedNotify: Type.Boolean({ description: "It ends within 30 days, and nobody has silenced that" }),
  startdate: Type.String(),
});
export type TlsInfo = Static<typeof TlsInfo>;

export const TlsNotify = Type.Object(
  { outdatedNotify: Type.Boolean({ description: "False: no word of it until the next certificate" }) },
  { additionalProperties: false },
);
export type TlsNotify = Static<typeof TlsNotify>;

export const DomainNames = Type.Object(
  {
    domain_names: Type.String({ maxLength: 8192, description: "Names and addresses separated by commas; empty: none" }),
  },
  { additionalProperties: false },
);
export type DomainNames = Static<typeof DomainNames>;

export const TlsResult = Type.Object({ result: Type.Boolean() });
export type TlsResult = Static<typeof TlsResult>;
