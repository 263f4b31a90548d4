import type { DockerHttp } from "../client/http.ts";

/** What Docker takes for a mode of its own and not for a network's name. */
const modes = ["none", "host", "bridge", "default"];

/** Returns the name of each network; Docker lets several have the same. */
export async function listNetworks(http: DockerHttp, signal?: AbortSignal): Promise<string[]> {
  const networks = await http.json<{ Name: string }[]>({ path: "/networks", signal });
  return networks.map(({ Name }) => Name).filter((name) => !modes.includes(name));
}
