import { invalid } from "../../errors.ts";

/** The names that the station itself signs events and audit entries with. No user may have one, or one that looks so. */
export const signatures = Object.freeze({
  /** What happened without a task of the station. */
  system: "system",
  /** Whoever came to the Docker gateway with the client certificate. */
  clientCertificate: "client certificate",
  /** Whoever came by the port that asks nobody who he is. */
  openPort: "openvz (no login)",
});

const twins: Readonly<Record<string, string>> = { "0": "o", "1": "i", l: "i", "3": "e", "5": "s" };
const taken = new Set(Object.values(signatures).map(lookOf));

/** Whether a name reads like one of the station's own: in another case, with other separators, or digits for letters. */
export function looksLikeSignature(name: string): boolean {
  return taken.has(lookOf(name));
}

/** Throws `invalid` for the name of a new user that reads like one of the station's own. */
export function refuseSignature(name: string): void {
  if (looksLikeSignature(name))
    throw invalid("username", `${name} reads like a name that the station itself signs with`);
}

/** What all names that read alike have in common. Names are ASCII, so there are no twins in other alphabets. */
function lookOf(name: string): string {
  const letters = name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  return letters.replaceAll(/[0135l]/g, (letter) => twins[letter] ?? letter);
}
