import { isDeepStrictEqual } from "node:util";

import { hasCode } from "../errors.ts";
import { noRules, type Mapping, type PortRules } from "./rules.ts";
import type { RunProgram } from "./run.ts";
import { portScript } from "./script.ts";

/** The station's own nftables table, `ip gantry`: kernel state, which outlives the station. */
export interface PortTable {
  /** Has the kernel check a whole table, without making it. Throws `engine_failed` when this host cannot have it. */
  probe(): Promise<void>;
  read(): Promise<PresentTable>;
  write(rules: PortRules): Promise<void>;
}

export interface PresentTable {
  /** What of it can be read. */
  rules: PortRules;
  /** It is there, and is what this station last wrote, with nothing added, changed or taken away. */
  intact: boolean;
}

/** Of `nft -j`: one object per thing, with its kind as its key. */
interface Listed {
  kind: string;
  elements: readonly unknown[];
  /** Its other fields. */
  fields: Record<string, unknown>;
}

const sample: PortRules = {
  mappings: [{ protocol: "tcp", host: 1, address: "192.0.2.1", port: 1 }],
  bridges: ["gantry"],
};

export function createPortTable(run: RunProgram): PortTable {
  /** As the kernel shows what was written last; empty: no table. */
  let written: readonly Listed[] | undefined;

  async function list(): Promise<Listed[]> {
    try {
      return readListing(await run(["nft", "-j", "list", "table", "ip", "gantry"]));
    } catch (error) {
      if (hasCode(error, "engine_failed") && error.message.includes("No such file or directory")) return [];
      throw error;
    }
  }

  return {
    probe: async () => void (await run(["nft", "-c", "-f", "-"], portScript(sample))),
    async read() {
      const listed = await list();
      return { rules: rulesOf(listed), intact: isDeepStrictEqual(listed, written) };
    },
    async write(rules) {
      written = undefined;
      await run(["nft", "-f", "-"], portScript(rules));
      written = await list();
    },
  };
}

/** Sets come in any order, and handles are new each time. */
function readListing(text: string): Listed[] {
  const { nftables } = JSON.parse(text) as { nftables: Record<string, Record<string, unknown>>[] };
  return nftables.flatMap((entry) => {
    const [kind = "", { handle: _, elem = [], ...fields } = {}] = Object.entries(entry)[0] ?? [];
    if (kind === "metainfo") return [];
    const elements = (elem as unknown[]).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    return { kind, elements, fields };
  });
}

function rulesOf(listed: readonly Listed[]): PortRules {
  if (listed.length === 0) return noRules;
  const elements = (name: string): readonly unknown[] =>
    listed.find(({ fields }) => fields["name"] === name)?.elements ?? [];
  return {
    mappings: (["tcp", "udp"] as const).flatMap((protocol) =>
      elements(`${protocol}_ports`).flatMap(mappingOf(protocol)),
    ),
    bridges: elements("bridges").filter((bridge) => typeof bridge === "string"),
  };
}

/** An element: [8080, {concat: ["10.0.3.5", 80]}]. */
function mappingOf(protocol: Mapping["protocol"]): (element: unknown) => Mapping[] {
  return (element) => {
    const [host, target] = element as [number, { concat?: [string, number] }?];
    const [address, port] = target?.concat ?? [];
    return address !== undefined && port !== undefined ? [{ protocol, host, address, port }] : [];
  };
}
