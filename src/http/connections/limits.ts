import type { StreamLimits } from "../responses/event-stream.ts";

/** Times in milliseconds, sizes in bytes. */
export interface ServerLimits {
  /** From the first byte to the end of the headers, and for a connection that sends nothing. */
  headers: number;
  /** From the first byte to the end of the body. */
  request: number;
  /** A connection between two requests. */
  keepAlive: number;
  /** How often the three above are looked at, which is how exact they are. */
  check: number;
  /** A client that does not take its answer. */
  read: number;
  /** What close() gives to requests under way. */
  closing: number;
  headerSize: number;
  bodySize: number;
  connections: number;
  stream: StreamLimits;
}

/** Nobody holds a connection for more than 30 s without doing something with it, but between two requests. */
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
  stream: { buffer: 1024 * 1024, heartbeat: 15_000 },
};
