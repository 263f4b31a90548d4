import { requestLxd } from "./api.ts";

interface Network {
  name: string;
  status: string;
}

/** Returns a sentence for each bridge that LXD could not set up when it started. */
export async function describeMissingNetworks(socket: string): Promise<string[]> {
  const networks = await requestLxd<Network[]>(socket, "GET", "/1.0/networks?recursion=1");
  const missing = networks.filter(({ status }) => status === "Unavailable");
  return missing.map(
    ({ name }) =>
      `LXD could not set up its network ${name}, and tries again every minute; until then containers on it do not start. LXD's log says why.`,
  );
}
