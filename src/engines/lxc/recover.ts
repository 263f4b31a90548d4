import { access } from "node:fs/promises";

import type { Addresses } from "./addresses.ts";
import type { Layout } from "./layout.ts";
import { finishRenames } from "./rename.ts";
import type { Staging } from "./staging.ts";

interface Deps {
  layout: Layout;
  staging: Staging;
  addresses: Addresses;
}

/**
 * Deletes what a station that was killed was making or deleting, by the staging folders that bear its id, and the address
 * that was reserved for it. What nobody's mark is on, because its container had none, is anybody's to finish.
 */
export async function recover({ layout, staging, addresses }: Deps, station: string): Promise<void> {
  const names = [...(await staging.recover(station)), ...(await staging.recover(unmarked))];
  for (const name of names) {
    const there = await access(layout.config(name)).then(
      () => true,
      () => false,
    );
    if (!there) await addresses.unreserve(name);
  }
  await finishRenames(layout);
}

/** In the place of a station's id. */
const unmarked = "none";
