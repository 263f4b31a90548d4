/** Where an engine listens: the path of a socket, or host and port. */
export type EngineAddress = { path: string } | { host: string; port: number };

/** Parses `unix:///path` or `tcp://host:port`, which the configuration has checked. The default port is 2375, Docker's. */
export function parseAddress(text: string): EngineAddress {
  if (text.startsWith("unix://")) return { path: text.slice("unix://".length) };
  const { hostname, port } = new URL(text);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 2375) };
}
