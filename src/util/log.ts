/** One JSON line on standard error; control characters of any value come out escaped. */
export function log(message: string, fields: Record<string, unknown> = {}): void {
  const line = { time: new Date().toISOString(), message, ...fields };
  process.stderr.write(
    `${JSON.stringify(line, (_key, value: unknown) => (value instanceof Error ? describe(value) : value))}\n`,
  );
}

function describe(error: Error): Record<string, unknown> {
  const { cause } = error;
  return {
    message: error.message,
    stack: error.stack,
    ...(cause !== undefined && { cause: cause instanceof Error ? describe(cause) : cause }),
  };
}
