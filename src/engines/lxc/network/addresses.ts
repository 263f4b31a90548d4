import { createHash } from "node:crypto";
import { mkdir, rename, rm, unlink, writeFile } from "node:fs/promises";
import path from "node:path";

import { AppError } from "../../../errors.ts";
import type { ContainerSpec } from "../../engine.ts";
import { freeAddress, type Subnet } from "../../network/subnet.ts";
import type { GivenAddress } from "../../network/given-addresses.ts";
import { isAnswered, takenOnHost } from "../../network/host-addresses.ts";
import { bridgeSubnet, type Reserved, reservedAddresses } from "./bridge-network.ts";
import { rereadReservations } from "./dhcp-server.ts";
import { exists } from "../../../util/exists.ts";
import type { ContainerFacts } from "../files/container-facts.ts";
import type { Layout } from "../files/layout.ts";

/** A container's place on the network, given for life. */
export interface Place {
  mac: string;
  /** Only with ports behind the bridge. */
  address?: string;
  subnet?: Subnet;
}

export interface Addresses {
  /** A place that no other container has. It is taken by this call until it is released or the container is there. */
  take(spec: ContainerSpec, signal?: AbortSignal): Promise<Place>;
  release(name: string): void;
  /**
   * These are taken for a container that is there, until they are released or in its configuration. `macs`: of its own
   * cards. Throws `conflict`, field `addresses`, for one that this host or somebody else on the bridge has.
   */
  claim(name: string, given: readonly GivenAddress[], macs: readonly string[], signal?: AbortSignal): Promise<void>;
  subnet(signal?: AbortSignal): Promise<Subnet>;
  /** The bridge's DHCP server gives the same address, to an image that asks it. */
  reserve(name: string, place: Place): Promise<void>;
  /** The same of several: the first one is given to who asks, and none of them to anybody else. */
  reserveAll(name: string, mac: string, addresses: readonly string[]): Promise<void>;
  unreserve(name: string): Promise<void>;
  /** The container has another name. */
  move(name: string, to: string): Promise<void>;
}

interface Deps {
  layout: Layout;
  bridge: string;
  /** Of all containers, by name. */
  facts: () => Promise<ReadonlyMap<string, ContainerFacts>>;
}

export function createAddresses({ layout, bridge, facts }: Deps): Addresses {
  /** Of containers that are being made. */
  const taken = new Map<string, Place>();
  /** Of containers that are being changed. */
  const changing = new Map<string, readonly string[]>();
  const held = (): string[] => [...changing.values()].flat();

  async function take(spec: ContainerSpec, signal?: AbortSignal): Promise<Place> {
    const fixed = spec.ports.length > 0 && spec.network.mode === "nat";
    const subnet = fixed ? await bridgeSubnet(bridge, signal) : undefined;
    const [all, reserved] = await Promise.all([facts(), subnet ? reservedAddresses(bridge, layout) : []]);
    const others = [...all.values()];
    // From here to the end nothing waits, so two calls never choose the same.
    const making = [...taken.values()];
    const macs = new Set([...others.flatMap((other) => other.macs), ...making.map(({ mac }) => mac)]);
    const place: Place = { mac: spec.macAddress ?? freeMac(layout.home(spec.name), macs) };
    if (subnet) {
      const used = [
        ...reserved.map(({ address }) => address),
        ...held(),
        ...others.flatMap(({ addresses }) => addresses),
        ...making.map(addressOf),
      ];
      const address = freeAddress(subnet, used, layout.home(spec.name));
      if (address === undefined) throw new AppError("engine_failed", `LXC's bridge ${bridge} has no free address.`);
      Object.assign(place, { address, subnet });
    }
    taken.set(spec.name, place);
    return place;
  }

  async function claim(name: string, given: readonly GivenAddress[], macs: readonly string[], signal?: AbortSignal) {
    const wanted = given.map(({ address }) => address);
    const near = given.filter((one) => one.near).map(({ address }) => address);
    const [all, reserved, host, answered] = await Promise.all([
      facts(),
      reservedAddresses(bridge, layout),
      takenOnHost(wanted, bridge, signal),
      Promise.all(near.map((address) => isAnswered(address, bridge, signal, macs))),
    ]);
    const macsOfAll = new Set([...macs, ...[...all.values()].flatMap((known) => known.macs)]);
    const free = await leftBehind(
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
      ...[...taken].flatMap(([other, place]) => (other === name ? [] : addressOf(place))),
      ...[...changing].flatMap(([other, some]) => (other === name ? [] : some)),
    ]);
    const used = wanted.find((address) => foreign.has(address));
    if (used !== undefined)
      throw new AppError("conflict", `The address ${used} is in use.`, { details: { field: "addresses" } });
    changing.set(name, wanted);
  }

  /** Of containers that are gone: a lease lasts an hour longer, a reservation for ever where somebody else removed one. */
  async function leftBehind(reserved: readonly Reserved[], macs: ReadonlySet<string>): Promise<ReadonlySet<Reserved>> {
    const found = new Set<Reserved>();
    for (const one of reserved) {
      const { name, mac = "" } = one;
      if (name === undefined ? macs.has(mac) : taken.has(name) || (await exists(layout.config(name)))) continue;
      if (name !== undefined) await unreserve(name);
      found.add(one);
    }
    return found;
  }

  /** Whole or not at all: the server reads a file as soon as it has its name. It passes over names with a dot. */
  async function reserve(name: string, { mac, address }: Place): Promise<void> {
    if (address !== undefined) await writeReservation(name, [`${mac},${address}`]);
  }

  async function reserveAll(name: string, mac: string, [first, ...others]: readonly string[]): Promise<void> {
    if (first === undefined) return unreserve(name);
    // Nobody has such an id.
    await writeReservation(name, [`${mac},${first}`, ...others.map((address) => `id:gantry-${address},${address}`)]);
    await rereadReservations();
  }

  async function writeReservation(name: string, lines: readonly string[]): Promise<void> {
    await mkdir(layout.hostsDir, { recursive: true, mode: 0o755 });
    const draft = path.join(layout.hostsDir, `.${name}`);
    await writeFile(draft, `${lines.join("\n")}\n`, { mode: 0o644 });
    await rename(draft, path.join(layout.hostsDir, name));
  }

  async function unreserve(name: string): Promise<void> {
    await rm(path.join(layout.hostsDir, `.${name}`), { force: true });
    const gone = await unlink(path.join(layout.hostsDir, name)).then(
      () => true,
      () => false,
    );
    // Else whoever is given this address next is refused it by the server.
    if (gone) await rereadReservations();
  }

  async function move(name: string, to: string): Promise<void> {
    const places = [name, to].map((one) => path.join(layout.hostsDir, one)) as [string, string];
    // Without ports it has none.
    await rename(...places).catch(() => undefined);
  }

  function release(name: string): void {
    taken.delete(name);
    changing.delete(name);
  }

  const subnet = (signal?: AbortSignal): Promise<Subnet> => bridgeSubnet(bridge, signal);
  return { move, take, release, claim, subnet, reserve, reserveAll, unreserve };
}

function addressOf({ address = "" }: Place): string {
  return address;
}

/** The same for the same container, so that it keeps its lease when it is made again. */
function freeMac(seed: string, used: ReadonlySet<string>): string {
  for (let attempt = 0; ; attempt++) {
    const hash = createHash("sha256").update(`${seed} ${attempt}`).digest("hex");
    const mac = `00:16:3e:${hash.slice(0, 2)}:${hash.slice(2, 4)}:${hash.slice(4, 6)}`;
    if (!used.has(mac)) return mac;
  }
}
