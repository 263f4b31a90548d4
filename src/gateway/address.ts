/** A socket's path, or host and port. */
export type EngineAddress = { path: string } | { host: string; port: number };

/** unix:///path or tcp://host:port, as the configuration has checked it. */
export function parseAddress(text: string): EngineAddress {
  if (text.startsWith("unix://")) return { path: text.slice("unix://".length) };
  const { hostname, port } = new URL(text);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 2375) };
}
