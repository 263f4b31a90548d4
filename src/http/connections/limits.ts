import type { StreamLimits } from "../responses/event-stream.ts";
import type { BodyBudget } from "./pending-bodies.ts";

/** What one client may take of the server. Times are in milliseconds, sizes in bytes. */
export interface ServerLimits {
  /** Time from the first byte to the end of the headers, and for a connection that sends nothing. */
  headers: number;
  /** Time from the first byte to the end of the body. */
  request: number;
  /** Time that a connection may be idle between two requests. */
  keepAlive: number;
  /** Time between two checks of the three times above, which are therefore exact to that time. */
  check: number;
  /** Time after which a client is cut off that does not take its response. */
  read: number;
  /** Time that requests under way have when the server closes. */
  closing: number;
  /** Size of all headers of a request. */
  headerSize: number;
  /** Size of a body. A route may have a lower limit. */
  bodySize: number;
  /** Number of connections at the same time. */
  connections: number;
  /** Bytes of all bodies that are on their way at the same time. */
  bodies: BodyBudget;
  /** Limits of each event stream. */
  stream: StreamLimits;
}

/** Lets a silent client hold a connection for no more than 30 s, except between two requests. */
export const defaultLimits: ServerLimits = {
  headers: 10_000,
  request: 28_000,
  keepAlive: 65_000,
  check: 1_000,
  read: 28_000,
  closing: 2_000,
  headerSize: 16 * 1024,
  bodySize: 1024 * 1024,
  connections: 10_000,
  bodies: { total: 256 * 1024 * 1024, perAddress: 64 * 1024 * 1024 },
  stream: { buffer: 1024 * 1024, heartbeat: 15_000 },
};
