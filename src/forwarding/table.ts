import { isDeepStrictEqual } from "node:util";

import { hasCode } from "../errors.ts";
import { noRules, type Mapping, type PortRules } from "./rules.ts";
import type { RunProgram } from "./programs.ts";
import { tableScript } from "./table-script.ts";

/** The station's own nftables table, `ip gantry`. It is a part of the kernel's state, so it outlives the station. */
export interface PortTable {
  /** Has the kernel check a table without making it. Throws `engine_failed` if this host cannot have one. */
  probe(): Promise<void>;
  /** Reads the table from the kernel. Throws `engine_failed` if `nft` fails. */
  read(): Promise<PresentTable>;
  /** Replaces the table in one transaction; without rules it is removed. Throws `engine_failed` if the kernel refuses. */
  write(rules: PortRules): Promise<void>;
}

export interface PresentTable {
  /** The rules that the table has; none if there is no table. */
  rules: PortRules;
  /** True if the table is exactly as this station last wrote it. */
  intact: boolean;
}

/** One object in the output of `nft -j`, as libnftables-json(5) defines it. */
interface ListedObject {
  /** Its only key: table, chain, rule, set or map. */
  kind: string;
  /** Elements of a set or map, sorted. */
  elements: readonly unknown[];
  /** Its other fields, without the handle. */
  fields: Record<string, unknown>;
}

/** Addresses for documentation (RFC 5737), which reach nobody. */
const sample: PortRules = {
  mappings: [{ protocol: "tcp", host: 1, address: "192.0.2.1", port: 1 }],
  bridges: ["gantry"],
};

/** Returns the table. `run` runs `nft`. */
export function createPortTable(run: RunProgram): PortTable {
  /** The kernel's listing after the last write; empty without a table, undefined before the first write. */
  let lastWritten: readonly ListedObject[] | undefined;

  async function list(): Promise<ListedObject[]> {
    try {
      return readListing(await run(["nft", "-j", "list", "table", "ip", "gantry"]));
    } catch (error) {
      if (hasCode(error, "engine_failed") && error.message.includes("No such file or directory")) return [];
      throw error;
    }
  }

  return {
    probe: async () => void (await run(["nft", "-c", "-f", "-"], tableScript(sample))),
    async read() {
      const listed = await list();
      return { rules: toRules(listed), intact: isDeepStrictEqual(listed, lastWritten) };
    },
    async write(rules) {
      lastWritten = undefined;
      await run(["nft", "-f", "-"], tableScript(rules));
      lastWritten = await list();
    },
  };
}

/** Parses a listing so that two can be compared: elements come in any order, and handles are new after each write. */
function readListing(text: string): ListedObject[] {
  const { nftables } = JSON.parse(text) as { nftables: Record<string, Record<string, unknown>>[] };
  return nftables.flatMap((entry) => {
    const [kind = "", { handle: _, elem = [], ...fields } = {}] = Object.entries(entry)[0] ?? [];
    if (kind === "metainfo") return [];
    const elements = (elem as unknown[]).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    return { kind, elements, fields };
  });
}

function toRules(listed: readonly ListedObject[]): PortRules {
  if (listed.length === 0) return noRules;
  const elements = (name: string): readonly unknown[] =>
    listed.find(({ fields }) => fields["name"] === name)?.elements ?? [];
  return {
    mappings: (["tcp", "udp"] as const).flatMap((protocol) =>
      elements(`${protocol}_ports`).flatMap(toMappings(protocol)),
    ),
    bridges: elements("bridges").filter((bridge) => typeof bridge === "string"),
  };
}

/** Parses an element of a map, such as `[8080, {"concat": ["10.0.3.5", 80]}]`. */
function toMappings(protocol: Mapping["protocol"]): (element: unknown) => Mapping[] {
  return (element) => {
    const [host, target] = element as [number, { concat?: [string, number] }?];
    const [address, port] = target?.concat ?? [];
    return address !== undefined && port !== undefined ? [{ protocol, host, address, port }] : [];
  };
}
