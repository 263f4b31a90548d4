import { open, readFile, rename } from "node:fs/promises";

import type { StationFacts } from "./facts.ts";
import type { GivenAddress } from "../shaping/given-addresses.ts";
import type { Layout } from "./layout.ts";

/** Where the station forwards a container's ports to, when it has other addresses: the same one if it can, else the first. */
export async function keepForward(layout: Layout, name: string, given: readonly GivenAddress[]): Promise<void> {
  const file = layout.facts(name);
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return;
  const facts = JSON.parse(text) as StationFacts;
  if (!facts.forward) return;
  const [first] = given.toSorted((a, b) => Number(b.near) - Number(a.near));
  if (!first || given.some(({ address }) => address === facts.forward?.address)) return;
  await replace(file, `${JSON.stringify({ ...facts, forward: { ...facts.forward, address: first.address } })}\n`);
}

/** Whole or not at all, and on the disk when it resolves. */
async function replace(file: string, text: string): Promise<void> {
  const draft = `${file}.gantry-new`;
  const handle = await open(draft, "w", 0o640);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}
