import type { Container, EngineType } from "../../engines/engine.ts";
import type { NetworkMode } from "../../engines/container-spec.ts";
import { addressHolderOf, lanFaultOf, macHolderOf } from "../../engines/network/lan-addresses.ts";
import { AppError, invalid } from "../../errors.ts";
import type { EngineView } from "../../inventory/engine-view.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import type { LiveNumbers } from "../../numbers/live-numbers.ts";
import { mayKnow } from "../access/conflicts.ts";
import { numbersKey } from "../containers/numbers.ts";
import type { Owners } from "../access/owners.ts";
import type { User } from "../access/policy.ts";

/** The network card that a container is to have. */
export interface WantedCard {
  /** The network that the card is to be on. */
  network: NetworkMode;
  /** The card's MAC address; absent: the engine chooses. */
  macAddress?: string | undefined;
}

export interface CardConflictOptions {
  /** The engines and what is known of their containers. */
  inventory: Pick<Inventory, "views">;
  /** Tells whose a container is. */
  owners: Pick<Owners, "of">;
  /** CPU, memory and traffic of containers. */
  numbers: Pick<LiveNumbers, "get">;
}

export type CardConflicts = ReturnType<typeof createCardConflicts>;

interface Holder {
  view: EngineView;
  container: Container;
}

/** Tells whether a container of any engine, this host or a neighbour has an address of a card already. */
export function createCardConflicts({ inventory, owners, numbers }: CardConflictOptions) {
  /** Asks the engine itself before a request is refused, because the inventory may be a moment behind. */
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
    const holder = await holderOf(({ macs = [] }) => macs.includes(mac));
    const name = holder ? await nameOf(holder, user) : await macHolderOf(mac);
    if (name !== undefined) throw addressTaken("network.mac_addr", `The MAC address ${mac}`, name);
  }

  /** Those that it was given, and those that it has now, which may be DHCP's. */
  function addressesOf({ addresses = [], id, pid }: Container, type: EngineType): string[] {
    const live = pid > 0 ? numbers.get(numbersKey(type, id), pid)?.ipaddress : undefined;
    return [...addresses, ...(live ?? [])];
  }

  async function refuseAddress(address: string, device: string, user: User): Promise<void> {
    const field = "network.bridge.ip";
    const fault = await lanFaultOf(address, device);
    if (fault !== undefined) throw invalid(field, fault);
    const holder = await holderOf((container, type) => addressesOf(container, type).includes(address));
    const name = holder ? await nameOf(holder, user) : await addressHolderOf(address, device);
    if (name !== undefined) throw addressTaken(field, `The address ${address}`, name);
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

function addressTaken(field: string, what: string, holder: string): AppError {
  return new AppError("conflict", `${what} is taken by ${holder}.`, { details: { field } });
}
