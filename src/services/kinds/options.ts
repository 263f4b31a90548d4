import type { Verb } from "../../api/verbs.ts";
import type { Container, Engine } from "../../engines/engine.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import type { Announce } from "../events/announce.ts";
import type { ContainerLookup } from "../containers/lookup.ts";
import type { ImageReferences } from "../planning/image-reference.ts";
import type { Asks } from "../access/task-authorization.ts";
import type { Cards } from "../networks/cards.ts";
import type { Marks } from "../containers/marks.ts";
import type { User } from "../access/policy.ts";
import type { Pulls } from "../images/pulls.ts";
import type { HostProtection } from "../../shares/host-protection.ts";
import type { PinnedFolders } from "../../shares/pinned-folders.ts";
import type { Shares } from "../../shares/shares.ts";

export interface KindOptions {
  inventory: Inventory;
  lookup: ContainerLookup;
  shares: Shares;
  pins: PinnedFolders;
  protection: Pick<HostProtection, "protect">;
  images: ImageReferences;
  pulls: Pulls;
  marks: Marks;
  announce: Announce;
  /** Resolves when the ports of a container that the inventory has seen answer. */
  settlePorts(engine: Engine, container: Container): Promise<void>;
  /** Asked again when the task runs: the user may have lost the right meanwhile. Returns the user as of now. */
  authorize(user: string, verb: Verb, asks?: Asks): Promise<User>;
  cards: Pick<Cards, "find" | "refuse">;
  /** The port claims of a container that gets another name. */
  moveClaims(from: string, to: string): Promise<void>;
}
