import { existsSync } from "node:fs";
import type { Engine } from "../../engines/engine.ts";
import type { NetworkMode } from "../../engines/container-spec.ts";
import { AppError, invalid } from "../../errors.ts";
import { type ContainerPlan, noLinks } from "../planning/container-plan.ts";
import { type NamedNetwork, refusePorts } from "../planning/network-plan.ts";

type Asked = Pick<ContainerPlan, "network" | "ports" | "links">;

/**
 * Returns the network that is meant: a bridge of this host or a network of the engine's own, where the request calls it by
 * its name. Throws `invalid` where there is none, and `conflict` where there are several. To be called for those only who
 * may have it, since others must not learn what there is.
 */
export async function findNetwork(engine: Engine, asked: Asked): Promise<NetworkMode> {
  const { network } = asked;
  if (network.mode !== "named") return network;
  const { name } = network;
  const networks = ((await engine.networks?.()) ?? []).filter((other) => other === name);
  const isBridge = engine.capabilities.local && existsSync(`/sys/class/net/${name}/bridge`);
  if (networks.length + (isBridge ? 1 : 0) > 1) throw ambiguous(name, isBridge);
  if (networks.length > 0) return engineNetwork(network);
  if (!isBridge) throw unknown(engine, name);
  refusePorts(name, asked.ports);
  if (Object.keys(asked.links).length > 0) throw noLinks();
  return { mode: "bridge", interface: name, join: true, address: network.address };
}

function engineNetwork({ name, address }: NamedNetwork): NetworkMode {
  if (address.by === "static")
    throw invalid("network.bridge", `goes with a bridge of this host only, and ${name} is a network of Docker`);
  return { mode: "network", name };
}

function ambiguous(name: string, isBridge: boolean): AppError {
  const both = isBridge ? "a bridge of this host and a network of Docker have" : "several networks of Docker have";
  const message = `network.mode: ${both} the name ${name}; for a bridge use network.mode bridge.`;
  return new AppError("conflict", message, { details: { field: "network.mode" } });
}

function unknown(engine: Engine, name: string): AppError {
  const networks = engine.networks ? " and no network of Docker" : "";
  return invalid(
    "network.mode",
    `must be nat, host, bridge, or a network's name: no bridge of this host${networks} is named ${name}`,
  );
}
