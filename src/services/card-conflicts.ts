import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import type { Container, EngineType, NetworkMode } from "../engines/engine.ts";
import { isEdge, isInside } from "../engines/free-address.ts";
import { isAnswered, takenOnHost } from "../engines/shaping/host-addresses.ts";
import { lanNetworkOf } from "../engines/shaping/lan-network.ts";
import { AppError, invalid } from "../errors.ts";
import type { EngineView } from "../inventory/engine-view.ts";
import type { Inventory } from "../inventory/inventory.ts";
import type { ShownNumbers } from "../numbers/live-numbers.ts";
import { mayKnow } from "./conflicts.ts";
import type { Owners } from "./owners.ts";
import type { User } from "./policy.ts";

/** The network card that a container is to have. */
export interface WantedCard {
  network: NetworkMode;
  macAddress?: string | undefined;
}

export interface CardConflictOptions {
  inventory: Pick<Inventory, "views">;
  owners: Pick<Owners, "of">;
  /** What a running container has now, from the kernel. */
  numbersOf: (type: EngineType, container: Container) => ShownNumbers | undefined;
}

export type CardConflicts = ReturnType<typeof createCardConflicts>;

interface Holder {
  view: EngineView;
  container: Container;
}

/** Whether the addresses of a card are somebody's already, be it a container of any engine, this host, or a neighbour. */
export function createCardConflicts({ inventory, owners, numbersOf }: CardConflictOptions) {
  /** The inventory may be a moment behind: the engine itself is asked before somebody is refused. */
  async function holderOf(holds: (container: Container, type: EngineType) => boolean): Promise<Holder | undefined> {
    for (const view of inventory.views()) {
      const { type, containers } = view.engine;
      for (const container of view.containers()) {
        if (!holds(container, type)) continue;
        // Of an engine that is away the inventory is all there is.
        const now = await containers.getById(container.id).catch(() => container);
        if (now && holds(now, type)) return { view, container: now };
      }
    }
    return undefined;
  }

  /** Another user's container is not named. */
  async function nameOf({ view, container }: Holder, user: User): Promise<string> {
    const { type } = view.engine;
    const { owner } = await owners.of(type, container, container.name);
    return mayKnow(user, owner) ? `${type} container ${container.name}` : "another container";
  }

  async function refuseMac(mac: string, user: User): Promise<void> {
    const field = "network.mac_addr";
    const holder = await holderOf(({ macs = [] }) => macs.includes(mac));
    if (holder) throw taken(field, `The MAC address ${mac}`, await nameOf(holder, user));
    const device = (await hostMacs()).get(mac);
    if (device !== undefined) throw taken(field, `The MAC address ${mac}`, `this host's ${device}`);
  }

  async function refuseAddress(address: string, device: string, user: User): Promise<void> {
    const field = "network.bridge.ip";
    const { subnets, internal } = await lanNetworkOf(device);
    const own = subnets.find((subnet) => isInside(subnet, address));
    if (own && isEdge(own, address)) throw invalid(field, `is the own or broadcast address of ${device}'s network`);
    if (!own && internal && subnets.length > 0)
      throw invalid(field, `must be in the network of ${device}, ${subnets.map(shown).join(", ")}: no other is there`);
    const what = `The address ${address}`;
    const holder = await holderOf((container, type) => {
      const live = container.pid > 0 ? numbersOf(type, container)?.ipaddress : undefined;
      return [...(container.addresses ?? []), ...(live ?? [])].includes(address);
    });
    if (holder) throw taken(field, what, await nameOf(holder, user));
    const host = (await takenOnHost([address], device, undefined)).get(address);
    if (host !== undefined) throw taken(field, what, host);
    if (own && (await isAnswered(address, device))) throw taken(field, what, `somebody on the network of ${device}`);
  }

  return {
    /** Throws `conflict` naming who has an address, and `invalid` for one that cannot work there. */
    async refuse({ network, macAddress }: WantedCard, user: User): Promise<void> {
      if (macAddress !== undefined) await refuseMac(macAddress, user);
      if (network.mode !== "bridge" || network.address.by !== "static") return;
      await refuseAddress(network.address.address.split("/")[0] ?? "", network.interface, user);
    },
  };
}

/** Returns the interfaces of this host by their MAC addresses. A bridge often has that of a part of it, and is named. */
async function hostMacs(): Promise<Map<string, string>> {
  const folder = "/sys/class/net";
  const isBridge = (device: string): boolean => existsSync(`${folder}/${device}/bridge`);
  const devices = (await readdir(folder)).sort((a, b) => Number(isBridge(a)) - Number(isBridge(b)));
  const entries = devices.map(async (device): Promise<[string, string]> => {
    return [(await readFile(`${folder}/${device}/address`, "utf8").catch(() => "")).trim().toLowerCase(), device];
  });
  return new Map(await Promise.all(entries));
}

function shown({ address, length }: { address: string; length: number }): string {
  return `${address}/${length}`;
}

function taken(field: string, what: string, holder: string): AppError {
  return new AppError("conflict", `${what} is taken by ${holder}.`, { details: { field } });
}
