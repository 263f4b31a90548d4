import type { EventStore } from "../../storage/event-store.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import { requireContainer } from "../containers/find.ts";
import { messageOfEvent } from "./event-messages.ts";
import type { ConnectionQuota } from "../access/connection-quota.ts";
import type { Owners } from "../access/owners.ts";
import { authorize, onlyOf } from "../access/policy.ts";
import type { ContainerListService, EventService } from "../contract/services.ts";
import type { Sessions } from "../accounts/sessions.ts";
import type { StateWaits } from "./state-waits.ts";

export interface EventLogOptions {
  /** Tells who calls. */
  sessions: Sessions;
  /** The store of events. */
  events: EventStore;
  /** The engines and what is known of their containers. */
  inventory: Inventory;
  /** Lists and describes containers. */
  containers: ContainerListService;
  /** Waits for states of containers. */
  waits: StateWaits;
  /** Limits the connections that a user leaves waiting. */
  quota: ConnectionQuota;
  /** Tells whose a container is. */
  owners: Owners;
}

/** Without an index. */
const latest = 20;
/** Events in one answer; its offset says where the next one begins. */
const most = 1000;

/** Events for those who poll: the latest, and the wait for a container's state. */
export function createEventLog(options: EventLogOptions): Pick<EventService, "recent" | "wait"> {
  const { sessions, events, inventory, containers, waits, quota, owners } = options;

  return {
    async recent(caller, { index, offset }) {
      const only = onlyOf(sessions.authenticate(caller), "event:read");
      const { first, last } = await events.read({ after: Number.MAX_SAFE_INTEGER, limit: 0 });
      const end = Math.min(offset ?? last, last);
      const after = Math.max(Math.min(index ?? end - latest, end), first - 1);
      const { events: rows } = await events.read({ after, limit: Math.min(most, end - after) });
      const wanted = rows.filter(({ seq }) => seq <= end);
      const own = wanted.filter(({ user }) => only === undefined || user === only);
      const messages = own.map(messageOfEvent).toReversed();
      return { index: after, messages, offset: wanted.at(-1)?.seq ?? Math.max(after, end) };
    },

    async wait(caller, { type, id: idOrName, state, duration }, signal) {
      const user = sessions.authenticate(caller);
      authorize(user, "container:get");
      const view = inventory.require(type);
      const container = requireContainer(view, idOrName);
      const { id } = container;
      if (user.role !== "admin") authorize(user, "container:get", [await owners.of(type, container, idOrName)]);
      const over = new AbortController();
      const late = setTimeout(() => over.abort(), duration * 1000);
      const end = AbortSignal.any([signal, over.signal]);
      try {
        quota.take(user.name, end);
        await waits.until(view, id, state, end);
      } finally {
        clearTimeout(late);
        over.abort();
      }
      return containers.get(caller, type, id);
    },
  };
}
