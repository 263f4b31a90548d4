const keptLines = 1000;
const recent: string[] = [];

export type Log = (message: string, fields: Record<string, unknown>) => void;

/** One JSON line on standard error; control characters of any value come out escaped. */
export function log(message: string, fields: Record<string, unknown> = {}): void {
  const line = { time: new Date().toISOString(), message, ...fields };
  const text = JSON.stringify(line, (_key, value: unknown) => (value instanceof Error ? describe(value) : value));
  recent.push(text);
  if (recent.length > keptLines) recent.shift();
  process.stderr.write(`${text}\n`);
}

/** The last 1,000 lines of this process. */
export function recentLines(): readonly string[] {
  return [...recent];
}

function describe(error: Error): Record<string, unknown> {
  const { cause } = error;
  return {
    message: error.message,
    stack: error.stack,
    ...(cause !== undefined && { cause: cause instanceof Error ? describe(cause) : cause }),
  };
}
