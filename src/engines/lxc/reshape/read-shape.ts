import type { Shape } from "../../shape.ts";
import { readConfig, settingsOf } from "../files/config-file.ts";
import type { Layout } from "../files/layout.ts";
import { limitsOf, sizeLimit } from "../inspect/inspect.ts";
import { nameServersOf } from "./name-servers.ts";

/** Returns what of a container is set, from its configuration. Throws `not_found`. */
export async function readShape(layout: Layout, name: string): Promise<Shape> {
  const config = await readConfig(layout, name);
  const one = (key: string): string | undefined => settingsOf(config, key).at(-1);
  const { cpuTime, memory } = limitsOf(one);
  const hostname = one("lxc.uts.name");
  const given = settingsOf(config, "lxc.net.0.ipv4.address").flatMap((line) => line.split(" ")[0] ?? []);
  const nameServers = await nameServersOf(layout, name);
  return {
    ...(hostname !== undefined && { hostname }),
    ...(cpuTime !== undefined && { cpuTime }),
    ...(memory !== undefined && { memory }),
    ...(await sizeLimit(layout, name, config)),
    ...(given.length > 0 && { addresses: given }),
    ...(nameServers.length > 0 && { nameServers }),
  };
}
