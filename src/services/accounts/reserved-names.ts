import { invalid } from "../../errors.ts";

/** The names that the station itself signs events and audit entries with. No user may have one, or one that looks so. */
export const reservedNames = Object.freeze({
  /** Acts without a task of the station. */
  system: "system",
  /** Clients of the Docker gateway, which have the client certificate. */
  clientCertificate: "client certificate",
  /** Clients of the port without authentication. */
  openPort: "openvz (no login)",
});

const twins: Readonly<Record<string, string>> = { "0": "o", "1": "i", l: "i", "3": "e", "5": "s" };
const spellings = new Set(Object.values(reservedNames).map(commonSpelling));

/** Tells whether a name reads like one of these: in another case, with other separators, or with digits for letters. */
export function isLikeReservedName(name: string): boolean {
  return spellings.has(commonSpelling(name));
}

/** Throws `invalid` for the name of a new user that reads like one of the station's own. */
export function refuseReservedName(name: string): void {
  if (isLikeReservedName(name))
    throw invalid("username", `${name} reads like a name that the station itself signs with`);
}

/** Returns the same text for all names that read alike. Names are ASCII, so there are no twins in other alphabets. */
function commonSpelling(name: string): string {
  const letters = name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  return letters.replaceAll(/[0135l]/g, (letter) => twins[letter] ?? letter);
}
