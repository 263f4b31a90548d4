import { createHash } from "node:crypto";

import { AppError } from "../../../errors.ts";
import { exists } from "../../../util/exists.ts";
import type { ContainerSpec } from "../../container-spec.ts";
import type { GivenAddress } from "../../network/given-addresses.ts";
import { answersArp, findHostHolders } from "../../network/host-addresses.ts";
import { freeAddress, type Subnet } from "../../../util/addresses/subnet.ts";
import type { ContainerFacts } from "../files/container-facts.ts";
import type { Layout } from "../files/layout.ts";
import { bridgeSubnet } from "./bridge-network.ts";
import { createReservations, reservedAddresses, type Reserved } from "./reservations.ts";

/** A container's place on the network, given for life. */
export interface Place {
  /** In lower case, as 00:16:3e:aa:00:01. */
  mac: string;
  /** Without prefix length. Only with ports behind the bridge. */
  address?: string;
  /** The bridge's network; present with `address`. */
  subnet?: Subnet;
}

/** Gives MAC addresses and addresses to containers, none of them twice. */
export interface Addresses {
  /** Returns a place that no other container has. It is taken by this call until it is released or the container is there. */
  take(spec: ContainerSpec, signal?: AbortSignal): Promise<Place>;
  /** Ends what `take` and `claim` hold for this container. */
  release(name: string): void;
  /**
   * Takes these for a container that is there, until they are released or in its configuration. `macs`: of its own cards.
   * Throws `conflict`, field `addresses`, for one that this host or somebody else on the bridge has.
   */
  claim(name: string, given: readonly GivenAddress[], macs: readonly string[], signal?: AbortSignal): Promise<void>;
  /** Returns the bridge's network. Throws `engine_failed` when the bridge has no address. */
  subnet(signal?: AbortSignal): Promise<Subnet>;
  /** Has the bridge's DHCP server give the place's address to an image that asks for one; nothing without an address. */
  reserve(name: string, place: Place): Promise<void>;
  /**
   * Reserves several: the card is given the first one when it asks, and nobody else is given any of them. [] = none.
   */
  reserveAll(name: string, mac: string, addresses: readonly string[]): Promise<void>;
  /** Deletes the container's reservations; none is no error. */
  unreserve(name: string): Promise<void>;
  /** Gives the reservations to the container's new name. */
  move(name: string, to: string): Promise<void>;
}

interface Deps {
  layout: Layout;
  bridge: string;
  allFacts: () => Promise<ReadonlyMap<string, ContainerFacts>>;
}

interface Held {
  /** Places of containers that are being made. */
  making: Map<string, Place>;
  /** Addresses of containers that are being changed. */
  changing: Map<string, readonly string[]>;
}

/** Returns what gives addresses to the containers below one LXC path. */
export function createAddresses(deps: Deps): Addresses {
  const { layout, bridge } = deps;
  const held: Held = { making: new Map(), changing: new Map() };
  const reservations = createReservations(layout.hostsDir);

  function release(name: string): void {
    held.making.delete(name);
    held.changing.delete(name);
  }

  return {
    take: createTake(deps, held),
    claim: createClaim({ ...deps, unreserve: reservations.remove }, held),
    release,
    subnet: (signal) => bridgeSubnet(bridge, signal),
    async reserve(name, { mac, address }) {
      if (address !== undefined) await reservations.write(name, mac, address);
    },
    reserveAll: reservations.writeAll,
    unreserve: reservations.remove,
    move: reservations.move,
  };
}

function createTake({ layout, bridge, allFacts }: Deps, { making, changing }: Held): Addresses["take"] {
  return async function take(spec, signal) {
    const fixed = spec.ports.length > 0 && spec.network.mode === "nat";
    const subnet = fixed ? await bridgeSubnet(bridge, signal) : undefined;
    const [all, reserved] = await Promise.all([allFacts(), subnet ? reservedAddresses(bridge, layout.hostsDir) : []]);
    const others = [...all.values()];
    // From here to the end nothing waits, so two calls never choose the same.
    const places = [...making.values()];
    const macs = new Set([...others.flatMap((other) => other.macs), ...places.map(({ mac }) => mac)]);
    const place: Place = { mac: spec.macAddress ?? freeMac(layout.home(spec.name), macs) };
    if (subnet) {
      const used = [
        ...reserved.map(({ address }) => address),
        ...[...changing.values()].flat(),
        ...others.flatMap(({ addresses }) => addresses),
        ...places.map(addressOf),
      ];
      const address = freeAddress(subnet, used, layout.home(spec.name));
      if (address === undefined) throw new AppError("engine_failed", `LXC's bridge ${bridge} has no free address.`);
      Object.assign(place, { address, subnet });
    }
    making.set(spec.name, place);
    return place;
  };
}

interface ClaimDeps extends Deps {
  unreserve(name: string): Promise<void>;
}

function createClaim({ layout, bridge, allFacts, unreserve }: ClaimDeps, { making, changing }: Held) {
  return async function claim(
    name: string,
    given: readonly GivenAddress[],
    macs: readonly string[],
    signal?: AbortSignal,
  ) {
    const wanted = given.map(({ address }) => address);
    const near = given.filter((one) => one.near).map(({ address }) => address);
    const [all, reserved, host, answered] = await Promise.all([
      allFacts(),
      reservedAddresses(bridge, layout.hostsDir),
      findHostHolders(wanted, bridge, signal),
      Promise.all(near.map((address) => answersArp(address, bridge, signal, macs))),
    ]);
    const macsOfAll = new Set([...macs, ...[...all.values()].flatMap((known) => known.macs)]);
    const free = await withoutContainer(
      reserved.filter((one) => wanted.includes(one.address)),
      macsOfAll,
    );
    // From here to the end nothing waits.
    const foreign = new Set([
      ...host.keys(),
      // Somebody may have set it inside, where no configuration says so.
      ...near.filter((_, index) => answered[index]),
      ...[...all].flatMap(([other, known]) => (other === name ? [] : known.addresses)),
      ...reserved
        .filter((one) => !free.has(one))
        .filter((one) => (one.name === undefined ? !macs.includes(one.mac ?? "") : one.name !== name))
        .map(({ address }) => address),
      ...[...making].flatMap(([other, place]) => (other === name ? [] : addressOf(place))),
      ...[...changing].flatMap(([other, some]) => (other === name ? [] : some)),
    ]);
    const used = wanted.find((address) => foreign.has(address));
    if (used !== undefined)
      throw new AppError("conflict", `The address ${used} is in use.`, { details: { field: "addresses" } });
    changing.set(name, wanted);
  };

  /**
   * Returns those of containers that are gone: a lease lasts an hour longer, a reservation for ever where another
   * program removed the container.
   */
  async function withoutContainer(
    reserved: readonly Reserved[],
    macs: ReadonlySet<string>,
  ): Promise<ReadonlySet<Reserved>> {
    const found = new Set<Reserved>();
    for (const one of reserved) {
      const { name, mac = "" } = one;
      if (name === undefined ? macs.has(mac) : making.has(name) || (await exists(layout.config(name)))) continue;
      if (name !== undefined) await unreserve(name);
      found.add(one);
    }
    return found;
  }
}

function addressOf({ address = "" }: Place): string {
  return address;
}

/** Returns the same for the same container, so that it keeps its lease when it is made again. */
function freeMac(seed: string, used: ReadonlySet<string>): string {
  for (let attempt = 0; ; attempt++) {
    const hash = createHash("sha256").update(`${seed} ${attempt}`).digest("hex");
    const mac = `00:16:3e:${hash.slice(0, 2)}:${hash.slice(2, 4)}:${hash.slice(4, 6)}`;
    if (!used.has(mac)) return mac;
  }
}
