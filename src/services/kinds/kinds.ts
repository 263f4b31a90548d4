import type { OwnerMark } from "../../engines/engine.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import type { Handler, Kinds } from "../../tasks/handler.ts";
import type { ImageReferences } from "../image-reference.ts";
import type { Verb } from "../policy.ts";
import type { Pulls } from "../pulls.ts";
import type { BackgroundKind } from "../services.ts";
import type { Shares } from "../shares.ts";
import { createHandler } from "./create.ts";
import { imageDownloadHandler } from "./image-download.ts";
import { imageRemoveHandler } from "./image-remove.ts";
import { createRecovery } from "./recovery.ts";
import { createUndoers } from "./undoers.ts";

/** Makes and knows the marks of this station's tasks. */
export interface Marks {
  of(task: number): OwnerMark;
  isOurs(mark: OwnerMark | undefined, task: number): boolean;
}

export interface KindOptions {
  inventory: Inventory;
  shares: Shares;
  images: ImageReferences;
  pulls: Pulls;
  marks: Marks;
  /** Asked again when the task runs: the user may have lost the right meanwhile. */
  authorize(user: string, verb: Verb): Promise<void>;
}

export function createMarks(station: string): Marks {
  return {
    of: (task) => ({ station, task }),
    isOurs: (mark, task) => mark?.station === station && mark.task === task,
  };
}

/** All kinds of tasks. A kind without a handler does not compile. */
export function createKinds(options: KindOptions): Kinds {
  const handlers: { [K in BackgroundKind]: Handler } = {
    create: createHandler(options),
    image_download: imageDownloadHandler(options),
    image_remove: imageRemoveHandler(options),
  };
  return { handlers, undoers: createUndoers(options), recover: createRecovery(options.inventory) };
}
