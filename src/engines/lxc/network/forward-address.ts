import { readFile } from "node:fs/promises";

import type { StationFacts } from "../files/container-facts.ts";
import type { GivenAddress } from "../../network/given-addresses.ts";
import type { Layout } from "../files/layout.ts";
import { replaceFile } from "../files/replace-file.ts";

/**
 * Writes down where the station forwards a container's ports to when its addresses change: the same one if it still has
 * it, else the first, one of the bridge's network before others.
 */
export async function updateForward(layout: Layout, name: string, given: readonly GivenAddress[]): Promise<void> {
  const file = layout.facts(name);
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return;
  const facts = JSON.parse(text) as StationFacts;
  if (!facts.forward) return;
  const [first] = given.toSorted((a, b) => Number(b.near) - Number(a.near));
  if (!first || given.some(({ address }) => address === facts.forward?.address)) return;
  await replaceFile(
    file,
    `${JSON.stringify({ ...facts, forward: { ...facts.forward, address: first.address } })}\n`,
    0o640,
  );
}
