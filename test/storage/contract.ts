import { describe } from "node:test";
import { acceptTests } from "./contract-accept.ts";
import { awaitedTests } from "./contract-awaited.ts";
import { endTests } from "./contract-ends.ts";
import { eventTests } from "./contract-events.ts";
import type { OpenStore } from "./contract-fixture.ts";
import { raceTests } from "./contract-races.ts";
import { upkeepTests } from "./contract-upkeep.ts";

/** What every store of tasks must do. Nothing here knows which database it is. */
export function taskStoreContract(name: string, open: OpenStore): void {
  describe(`task store contract: ${name}`, () => {
    acceptTests(open);
    awaitedTests(open);
    raceTests(open);
    endTests(open);
    eventTests(open);
    upkeepTests(open);
  });
}
