import type { Verb } from "../../api/verbs.ts";
import type { Container, Engine } from "../../engines/engine.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import type { HostProtection } from "../../shares/host-protection.ts";
import type { PinnedFolders } from "../../shares/pinned-folders.ts";
import type { Shares } from "../../shares/shares.ts";
import type { OpenvzStore } from "../../storage/openvz-store.ts";
import type { User } from "../access/policy.ts";
import type { TaskDemands } from "../access/task-authorization.ts";
import type { ContainerLookup } from "../containers/lookup.ts";
import type { Marks } from "../containers/marks.ts";
import type { WriteEvent } from "../events/event-writer.ts";
import type { Pulls } from "../images/pulls.ts";
import type { Cards } from "../networks/cards.ts";
import type { ImageReferences } from "../planning/image-reference.ts";

/** What kinds of tasks work with. */
export interface KindDependencies {
  /** The engines and what is known of their containers. */
  inventory: Inventory;
  /** Looks up a container as its engine has it now. */
  lookup: ContainerLookup;
  /** The shared folders of this host. */
  shares: Shares;
  /** Mounts folders of shares where no container can exchange them. */
  pins: PinnedFolders;
  /** Protects the host from what containers leave in its shares. */
  protection: Pick<HostProtection, "protect">;
  /** Finds out where an image is, from what a request says of it. */
  images: ImageReferences;
  /** Pulls an image once for all tasks that want it. */
  pulls: Pulls;
  /** Makes and knows the marks of this station's tasks. */
  marks: Marks;
  /** Writes an event for clients. */
  writeEvent: WriteEvent;
  /** Resolves when the ports of a container that the inventory has seen are reachable. */
  waitUntilForwarded(engine: Engine, container: Container): Promise<void>;
  /**
   * Decides again when the task runs, because the user may have lost the right meanwhile. Returns the user as of now;
   * throws as `authorizeTask`.
   */
  authorize(user: string, verb: Verb, demands?: TaskDemands): Promise<User>;
  /** Finds networks, and checks the addresses of network cards. */
  cards: Pick<Cards, "find" | "refuse">;
  /** Gives the port claims of the container with the key `from` to the one with the key `to`. */
  moveClaims(from: string, to: string): Promise<void>;
  /** The records of the containers of the containers-and-jobs API. */
  openvz: Pick<OpenvzStore, "record" | "setParameters" | "forget">;
}
