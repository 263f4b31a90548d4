import type { EngineType } from "../../engines/engine.ts";
import type { Outbound } from "../../host/outbound.ts";
import { portOwner } from "./ports.ts";

/** Tells where a registry's address leads at present. */
export interface RegistryCheck {
  /** Why it may not be asked; `undefined`: it may. */
  refusal: string | undefined;
  /** An address of it is this host's own or a private one. */
  inside: boolean;
}

export type CheckRegistry = (url: string) => Promise<RegistryCheck>;

/** Programs of engines that listen. They may do so on other ports than the usual ones. */
const programs: Readonly<Record<EngineType, readonly string[]>> = {
  docker: ["dockerd", "containerd", "podman"],
  lxc: [],
  lxd: ["lxd", "incusd"],
};
const engines = new RegExp(`^(${Object.values(programs).flat().join("|")}) `);

/**
 * Judges every address that a registry's host has now, on every port that Docker may try there. Docker resolves the name
 * again itself. What this host cannot resolve is left to Docker, which may ask a proxy.
 */
export function createRegistryCheck(outbound: Outbound): CheckRegistry {
  async function refusalOf(address: string, port: number): Promise<string | undefined> {
    const refusal = outbound.refusal(address, port);
    if (refusal !== undefined || !outbound.isOwn(address)) return refusal;
    const owner = await portOwner("tcp", port);
    return owner !== undefined && engines.test(owner) ? `port ${port} of this host, which is an engine's` : undefined;
  }

  return async (url) => {
    const { hostname, port } = new URL(url);
    const addresses = await outbound.addressesOf(hostname.replaceAll(/[[\]]/g, ""));
    const inside = addresses.some((address) => outbound.isInside(address));
    // Where no port is said, Docker tries HTTPS first and then HTTP.
    const ports = port === "" ? [443, 80] : [Number(port)];
    for (const address of addresses) {
      for (const tried of ports) {
        const refusal = await refusalOf(address, tried);
        if (refusal !== undefined) return { refusal, inside };
      }
    }
    return { refusal: undefined, inside };
  };
}
