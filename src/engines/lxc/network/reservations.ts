import { mkdir, readdir, readFile, rename, rm, unlink, writeFile } from "node:fs/promises";
import path from "node:path";

import { rereadReservations } from "./dhcp-server.ts";

/**
 * Reservations that the bridge's DHCP server reads (dnsmasq's `dhcp-hostsdir`): a file for each container, by its name. The
 * server reads a file as soon as it has its name, and passes over names with a dot in front.
 */
export interface Reservations {
  /** Reserves one address for a card; dnsmasq gives it to an image that asks for one. */
  write(name: string, mac: string, address: string): Promise<void>;
  /** Reserves several: the card is given the first one when it asks, and nobody else is given any of them. [] = none. */
  writeAll(name: string, mac: string, addresses: readonly string[]): Promise<void>;
  /** Deletes a container's reservations; none is no error. */
  remove(name: string): Promise<void>;
  /** Gives them to the container's new name; none is no error. */
  move(name: string, to: string): Promise<void>;
}

/** Returns the reservations in a folder, which is made when it is needed first. */
export function createReservations(folder: string): Reservations {
  async function write(name: string, lines: readonly string[]): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    const draft = path.join(folder, `.${name}`);
    await writeFile(draft, `${lines.join("\n")}\n`, { mode: 0o644 });
    await rename(draft, path.join(folder, name));
  }

  async function writeAll(name: string, mac: string, [first, ...others]: readonly string[]): Promise<void> {
    if (first === undefined) return remove(name);
    // Nobody has such an id.
    await write(name, [`${mac},${first}`, ...others.map((address) => `id:gantry-${address},${address}`)]);
    await rereadReservations();
  }

  async function remove(name: string): Promise<void> {
    await rm(path.join(folder, `.${name}`), { force: true });
    const gone = await unlink(path.join(folder, name)).then(
      () => true,
      () => false,
    );
    // Else whoever is given this address next is refused it by the server.
    if (gone) await rereadReservations();
  }

  async function move(name: string, to: string): Promise<void> {
    // Without ports it has none.
    await rename(path.join(folder, name), path.join(folder, to)).catch(() => undefined);
  }

  return { write: (name, mac, address) => write(name, [`${mac},${address}`]), writeAll, remove, move };
}

/** An address that the bridge's DHCP server has given away, or keeps for a container. */
export interface Reserved {
  /** Without prefix length. */
  address: string;
  /** The MAC address of the card that has a lease of it, in lower case; absent for a reservation. */
  mac?: string | undefined;
  /** The container that it is reserved for; absent for a lease. */
  name?: string;
}

/** Where lxc-net's dnsmasq keeps its leases. */
const leases = (bridge: string): string => `/var/lib/misc/dnsmasq.${bridge}.leases`;

/** Returns the addresses that the bridge's DHCP server has leased, and those that are reserved in the folder. */
export async function reservedAddresses(bridge: string, folder: string): Promise<Reserved[]> {
  const lines = (await readFile(leases(bridge), "utf8").catch(() => "")).split("\n");
  const leased = lines.flatMap((line) => {
    const [, mac, address] = line.split(" ");
    return address === undefined ? [] : { address, mac: mac?.toLowerCase() };
  });
  const files = (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith("."));
  const reserved = await Promise.all(files.map((name) => reservationsIn(folder, name)));
  return [...leased, ...reserved.flat()];
}

async function reservationsIn(folder: string, name: string): Promise<Reserved[]> {
  const text = await readFile(path.join(folder, name), "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    const address = line.trim().split(",")[1];
    return address === undefined ? [] : { address, name };
  });
}
