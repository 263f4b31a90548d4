import type { BackgroundKind, TaskRequests } from "../contract/services.ts";
import { containerAutostart } from "./container/autostart.ts";
import { containerCommit } from "./container/commit.ts";
import { containerPause } from "./container/pause.ts";
import { containerRemove } from "./container/remove.ts";
import { containerRename } from "./container/rename.ts";
import { containerRestart } from "./container/restart.ts";
import { containerStart } from "./container/start.ts";
import { containerStop } from "./container/stop.ts";
import { containerUnpause } from "./container/unpause.ts";
import { create } from "./create.ts";
import { imageDownload, imagePull } from "./image-download.ts";
import { imageRemove } from "./image-remove.ts";
import { openvzCreate } from "./openvz/create.ts";
import { openvzRemove } from "./openvz/remove.ts";
import { openvzRestart } from "./openvz/restart.ts";
import { openvzStart } from "./openvz/start.ts";
import { openvzStop } from "./openvz/stop.ts";
import { openvzUpdate } from "./openvz/update.ts";
import type { AnyTaskKind, TaskKind } from "./task-kind.ts";

/** The kinds of background tasks, which are listed. */
export const backgroundKinds: { readonly [Name in BackgroundKind]: TaskKind<Name, TaskRequests[Name]> } = {
  create,
  image_download: imageDownload,
  image_pull: imagePull,
  image_remove: imageRemove,
};

/** All kinds of tasks by their names. A kind that a release has stored tasks of is never taken out. */
export const taskKinds = table({
  ...backgroundKinds,
  container_start: containerStart,
  container_stop: containerStop,
  container_restart: containerRestart,
  container_pause: containerPause,
  container_unpause: containerUnpause,
  container_rename: containerRename,
  container_autostart: containerAutostart,
  container_commit: containerCommit,
  container_remove: containerRemove,
  openvz_create: openvzCreate,
  openvz_update: openvzUpdate,
  openvz_remove: openvzRemove,
  openvz_start: openvzStart,
  openvz_stop: openvzStop,
  openvz_restart: openvzRestart,
});

/** Does not compile if a kind stands under another name than its own. */
function table<Table extends { readonly [Name in keyof Table & string]: AnyTaskKind<Name> }>(kinds: Table): Table {
  return kinds;
}
