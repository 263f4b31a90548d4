import type { Handler, Kinds } from "../tasks/handler.ts";
import type { BackgroundKind } from "./contract/services.ts";
import { awaitedHandler, type AwaitedKind } from "./kinds/awaited.ts";
import { containerVerbs } from "./kinds/container-verbs.ts";
import { createHandler } from "./kinds/create.ts";
import { imageDownloadHandler } from "./kinds/image-download.ts";
import { imageRemoveHandler } from "./kinds/image-remove.ts";
import { openvzHandlers, type OpenvzKind, type OpenvzKindOptions } from "./openvz/task-kinds.ts";
import { createRecovery } from "./kinds/recovery.ts";
import { createUndoers } from "./kinds/undoers.ts";

/** All kinds of tasks. A kind without a handler does not compile. */
export function createKinds(options: OpenvzKindOptions): Kinds {
  const handlers: { [K in BackgroundKind | AwaitedKind | OpenvzKind]: Handler } = {
    create: createHandler(options),
    image_download: imageDownloadHandler(options),
    image_pull: imageDownloadHandler(options),
    image_remove: imageRemoveHandler(options),
    container_start: awaitedHandler(options, containerVerbs.container_start),
    container_stop: awaitedHandler(options, containerVerbs.container_stop),
    container_restart: awaitedHandler(options, containerVerbs.container_restart),
    container_pause: awaitedHandler(options, containerVerbs.container_pause),
    container_unpause: awaitedHandler(options, containerVerbs.container_unpause),
    container_rename: awaitedHandler(options, containerVerbs.container_rename),
    container_autostart: awaitedHandler(options, containerVerbs.container_autostart),
    container_commit: awaitedHandler(options, containerVerbs.container_commit),
    container_remove: awaitedHandler(options, containerVerbs.container_remove),
    ...openvzHandlers(options),
  };
  return { handlers, undoers: createUndoers(options), recover: createRecovery(options.inventory) };
}
