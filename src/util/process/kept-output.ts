/** Bytes of a program's output, up to a limit. Adding takes time in the bytes that are added, however they are cut. */
export interface KeptOutput {
  /** Adds what was written. */
  add(data: Buffer): void;
  /** Returns what is kept, as UTF-8. */
  text(): string;
  /** Returns whether there was more than is kept. */
  truncated(): boolean;
}

const firstCapacity = 16 * 1024;

/** Keeps the first bytes: for a program that is run for a caller. */
export function keepStart(limit: number): KeptOutput {
  const kept = createBytes(limit);
  let truncated = false;
  return {
    add(data) {
      const room = limit - kept.length();
      if (data.length > room) truncated = true;
      kept.append(data.subarray(0, room));
    },
    text: () => kept.last(limit).toString("utf8"),
    truncated: () => truncated,
  };
}

/** Keeps the last bytes: for a log. */
export function keepEnd(limit: number): KeptOutput {
  // With twice the room the kept bytes are moved once for each `limit` bytes, and not for each piece.
  const kept = createBytes(2 * limit);
  let truncated = false;
  return {
    add(data) {
      const part = data.subarray(Math.max(0, data.length - limit));
      if (kept.length() + data.length > limit) truncated = true;
      if (kept.length() + part.length > 2 * limit) kept.keepLast(limit - part.length);
      kept.append(part);
    },
    text: () => kept.last(limit).toString("utf8"),
    truncated: () => truncated,
  };
}

/**
 * Returns a buffer that grows up to a capacity. Pieces are copied, so that none holds the larger chunk that it was cut
 * from.
 */
function createBytes(capacity: number) {
  let buffer = Buffer.allocUnsafe(Math.min(capacity, firstCapacity));
  let length = 0;

  function reserve(size: number): void {
    if (size <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.min(capacity, Math.max(size, 2 * buffer.length)));
    buffer.copy(larger, 0, 0, length);
    buffer = larger;
  }

  return {
    length: () => length,
    append(data: Buffer): void {
      reserve(length + data.length);
      length += data.copy(buffer, length);
    },
    /** Drops all but the last bytes. */
    keepLast(size: number): void {
      buffer.copyWithin(0, Math.max(0, length - size), length);
      length = Math.min(size, length);
    },
    last: (size: number): Buffer => buffer.subarray(Math.max(0, length - size), length),
  };
}
