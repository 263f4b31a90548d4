import type { ContainerInfo } from "../../api/container-info.ts";
import type { EventList } from "../../api/event.ts";
import type { Caller } from "./caller.ts";

/** Part of the interface in services.ts: events. */

/** A committed event. */
export interface StationEvent {
  /** Number of the event, ascending over the station's life. */
  seq: number;
  /** `background`, `container` or `image`. */
  kind: string;
  /** Epoch seconds. */
  ts: number;
  /** Name of the user who caused it; `system` if nobody did. */
  user: string;
  /** What happened; JSON. */
  data: unknown;
}

export type StreamItem =
  | { type: "event"; event: StationEvent }
  /** Progress of a running task. It is not stored. */
  | { type: "progress"; task: { tid: number; progress: number; detail_state: string } }
  /** Events between the asked-for one and `seq` are no longer kept. */
  | { type: "reset"; seq: number };

/** A range of numbers of events. */
export interface EventRange {
  /** Only events after this one; undefined: the last 20. */
  index?: number | undefined;
  /** No events after this one. */
  offset?: number | undefined;
}

export interface StateWait {
  /** Type of the container's engine. */
  type: ContainerInfo["type"];
  /** Id or name of the container. */
  id: string;
  /** The state that is waited for. */
  state: ContainerInfo["state"];
  /** Seconds to wait at most. */
  duration: number;
}

export interface EventService {
  /** Returns the documented strings of events, newest first. */
  recent(caller: Caller, range: EventRange): Promise<EventList>;
  /** Waits until a container is in a state. Returns the container then, or as it is when the time is over. */
  wait(caller: Caller, wait: StateWait, signal: AbortSignal): Promise<ContainerInfo>;
  /** Streams from the event after `after` (undefined: from now on) until the signal aborts or the session ends. */
  stream(caller: Caller, after: number | undefined, signal: AbortSignal): Promise<AsyncIterable<StreamItem>>;
}
