import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, unlink, writeFile } from "node:fs/promises";
import path from "node:path";

import { AppError } from "../../errors.ts";
import { runChild } from "../child.ts";
import type { ContainerSpec } from "../engine.ts";
import { freeAddress, type Subnet } from "../free-address.ts";
import { rereadReservations } from "./dhcp-server.ts";
import type { Facts } from "./facts.ts";
import type { Layout } from "./layout.ts";

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
  /** The bridge's DHCP server gives the same address, to an image that asks it. */
  reserve(name: string, place: Place): Promise<void>;
  unreserve(name: string): Promise<void>;
  /** The container has another name. */
  move(name: string, to: string): Promise<void>;
}

interface Deps {
  layout: Layout;
  bridge: string;
  /** Of all containers. */
  facts: () => Promise<Facts[]>;
}

const leases = (bridge: string): string => `/var/lib/misc/dnsmasq.${bridge}.leases`;

export function createAddresses({ layout, bridge, facts }: Deps): Addresses {
  /** Of containers that are being made. */
  const taken = new Map<string, Place>();

  async function take(spec: ContainerSpec, signal?: AbortSignal): Promise<Place> {
    const fixed = spec.ports.length > 0 && spec.network.mode === "nat";
    const subnet = fixed ? await bridgeSubnet(bridge, signal) : undefined;
    const [others, reserved] = await Promise.all([facts(), subnet ? reservedAddresses(bridge, layout) : []]);
    // From here to the end nothing waits, so two calls never choose the same.
    const making = [...taken.values()];
    const macs = new Set([...others.flatMap((other) => other.macs), ...making.map(({ mac }) => mac)]);
    const place: Place = { mac: spec.macAddress ?? freeMac(layout.home(spec.name), macs) };
    if (subnet) {
      const used = [...reserved, ...others.flatMap(({ addresses }) => addresses), ...making.map(addressOf)];
      const address = freeAddress(subnet, used, layout.home(spec.name));
      if (address === undefined) throw new AppError("engine_failed", `LXC's bridge ${bridge} has no free address.`);
      Object.assign(place, { address, subnet });
    }
    taken.set(spec.name, place);
    return place;
  }

  /** Whole or not at all: the server reads a file as soon as it has its name. It passes over names with a dot. */
  async function reserve(name: string, { mac, address }: Place): Promise<void> {
    if (address === undefined) return;
    await mkdir(layout.hostsDir, { recursive: true, mode: 0o755 });
    const draft = path.join(layout.hostsDir, `.${name}`);
    await writeFile(draft, `${mac},${address}\n`, { mode: 0o644 });
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

  return { move, take, release: (name) => void taken.delete(name), reserve, unreserve };
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

async function bridgeSubnet(bridge: string, signal: AbortSignal | undefined): Promise<Subnet> {
  const argv = ["ip", "-4", "-o", "address", "show", "dev", bridge] as const;
  const text = await runChild(argv, { task: "lxc", signal }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    return "";
  });
  const [, address, length] = /inet ([\d.]+)\/(\d+)/.exec(text) ?? [];
  if (address && length) return { address, length: Number(length) };
  throw new AppError("engine_failed", `LXC's bridge ${bridge} has no address on this host; start lxc-net once.`);
}

/** Leased by the bridge's DHCP server, and reserved there. */
async function reservedAddresses(bridge: string, { hostsDir }: Layout): Promise<string[]> {
  const lines = (await readFile(leases(bridge), "utf8").catch(() => "")).split("\n");
  const leased = lines.flatMap((line) => line.split(" ")[2] ?? []);
  const files = (await readdir(hostsDir).catch(() => [])).filter((name) => !name.startsWith("."));
  const texts = await Promise.all(files.map((name) => readFile(path.join(hostsDir, name), "utf8").catch(() => "")));
  return [...leased, ...texts.flatMap((text) => text.trim().split(",")[1] ?? [])];
}
