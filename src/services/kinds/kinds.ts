import type { Handler, Kinds } from "../../tasks/handler.ts";
import type { BackgroundKind } from "../services.ts";
import { createHandler } from "./create.ts";
import { imageDownloadHandler } from "./image-download.ts";
import { imageRemoveHandler } from "./image-remove.ts";
import type { KindOptions } from "./options.ts";
import { createRecovery } from "./recovery.ts";
import { createUndoers } from "./undoers.ts";

/** All kinds of tasks. A kind without a handler does not compile. */
export function createKinds(options: KindOptions): Kinds {
  const handlers: { [K in BackgroundKind]: Handler } = {
    create: createHandler(options),
    image_download: imageDownloadHandler(options),
    image_remove: imageRemoveHandler(options),
  };
  return { handlers, undoers: createUndoers(options), recover: createRecovery(options.inventory) };
}
