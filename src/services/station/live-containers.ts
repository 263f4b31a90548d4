import { createInventory, type Inventory } from "../../inventory/inventory.ts";
import { createShareRoom } from "../../shares/room.ts";
import { createOwners } from "../access/owners.ts";
import { createContainerLookup } from "../containers/lookup.ts";
import { createMarks } from "../containers/marks.ts";
import { createContainerNumbers } from "../containers/numbers.ts";
import { createShareMounts } from "../containers/share-mounts.ts";
import { createSweeper } from "../containers/sweeper.ts";
import { createActingUsers } from "../events/acting-users.ts";
import { createEngineEvents } from "../events/engine-events.ts";
import { createEventWriter } from "../events/event-writer.ts";
import { createStateWaits } from "../events/state-waits.ts";
import { createForwarder } from "../networks/port-forwarding.ts";
import { createRecordSweeper } from "../openvz/records.ts";
import type { StationOptions } from "./options.ts";

export type LiveContainers = ReturnType<typeof createLiveContainers>;

/** Puts together what knows the containers of all engines, and what is told about their changes. */
export function createLiveContainers(
  { id, engines, log, ...options }: StationOptions,
  { isStreaming }: { isStreaming: () => boolean },
) {
  const { tasks, events, openvz } = options.stores;
  const shareRoom = createShareRoom({ ...options.shares, station: id });
  const { shares, pins, protection } = shareRoom;
  const folders = { shares, pins };
  const marks = createMarks(id);
  const actingUsers = createActingUsers();
  const writeEvent = createEventWriter(events, log);
  const waits = createStateWaits();
  const forwarder = createForwarder({ station: id, engines, log, inventory: () => inventory });
  const inventory: Inventory = createInventory(
    engines,
    createSweeper({ tasks, folders, station: id, log }),
    createShareMounts({ pins, tasks, view: ({ type }) => inventory.view(type), log }),
    createRecordSweeper({ openvz, marks, log }),
    forwarder.listener,
    createEngineEvents(writeEvent, actingUsers),
    waits,
  );
  return {
    inventory,
    folders,
    pins,
    shares,
    protection,
    marks,
    actingUsers,
    writeEvent,
    waits,
    forwarder,
    owners: createOwners({ tasks, station: id }),
    lookup: createContainerLookup(inventory),
    numbers: createContainerNumbers(inventory, isStreaming),
  };
}
