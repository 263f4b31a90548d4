const maxRecentLines = 1000;
const recentLog: string[] = [];

/** Writes a static message with its fields to the log. */
export type Log = (message: string, fields: Record<string, unknown>) => void;

/** Writes one line of JSON to standard error. JSON escapes the control characters of all values. */
export function log(message: string, fields: Record<string, unknown> = {}): void {
  const line = { time: new Date().toISOString(), message, ...fields };
  const text = JSON.stringify(line, (_key, value: unknown) => (value instanceof Error ? describe(value) : value));
  recentLog.push(text);
  if (recentLog.length > maxRecentLines) recentLog.shift();
  process.stderr.write(`${text}\n`);
}

/** Returns the last 1,000 lines that this process has logged. */
export function recentLines(): readonly string[] {
  return [...recentLog];
}

function describe(error: Error): Record<string, unknown> {
  const { cause } = error;
  return {
    message: error.message,
    stack: error.stack,
    ...(cause !== undefined && { cause: cause instanceof Error ? describe(cause) : cause }),
  };
}
