import type { Shape } from "../../shape.ts";
import type { LxdHttp } from "../client/http.ts";
import type { Instance } from "../client/instance.ts";
import { limitsOf } from "../inspect/inspect.ts";
import { ignoresSizes } from "../rootfs/pool.ts";
import { addressesOf } from "../client/instance-addresses.ts";
import { cardOf, rootOf } from "../client/instance-devices.ts";
import { hostnameOf, keptOf, readSize } from "./patches.ts";
import type { InsideShape } from "./inside.ts";
import { driverOf } from "./plan.ts";

/** Returns what of a container is set, from its configuration. */
export async function readShape(http: LxdHttp, instance: Instance): Promise<Shape> {
  const { cpuTime, memory } = limitsOf(instance.config);
  const { nameServers } = keptOf(instance);
  const root = rootOf(instance)?.config;
  const size = readSize(root?.["size"]);
  const holds = size !== undefined && !ignoresSizes(await driverOf(http, root?.["pool"]));
  const addresses = addressesOf(instance);
  return {
    hostname: hostnameOf(instance),
    ...(cpuTime !== undefined && { cpuTime }),
    ...(memory !== undefined && { memory }),
    ...(holds && { size }),
    ...(addresses.length > 0 && { addresses }),
    ...(nameServers && { nameServers }),
  };
}

/** Returns what a container is to be inside, by what was set for it. */
export async function readInsideShape(http: LxdHttp, instance: Instance): Promise<InsideShape> {
  const { hostname, nameServers } = keptOf(instance);
  const card = cardOf(instance);
  const bridge = card?.config["network"];
  const lines = addressesOf(instance);
  if (!card || bridge === undefined || lines.length === 0) return { hostname, nameServers };
  const { config } = await http.get<{ config: Record<string, string> }>(`/1.0/networks/${bridge}`);
  const gateway = (config["ipv4.address"] ?? "").split("/")[0] ?? "";
  const given = lines.map((line) => {
    const [address = "", length = "32"] = line.split(" ")[0]?.split("/") ?? [];
    return { address, length: Number(length) };
  });
  return { hostname, nameServers, network: { given, gateway, bridge, card: card.name, nameServers } };
}
