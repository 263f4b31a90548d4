import type { TestStation } from "./station.ts";

/** Returns the levels and messages of the log's entries about a container, the oldest first. */
export async function logOf({ client }: Pick<TestStation, "client">, name: string): Promise<string[]> {
  const query = `?limit=9999&category=container&text=${encodeURIComponent(name)}`;
  const entries = await client.ok<{ level: string; message: string }[]>("GET", `/log${query}`);
  return entries.map(({ level, message }) => `${level} ${message}`).toReversed();
}
