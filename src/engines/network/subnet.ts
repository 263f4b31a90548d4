import { createHash } from "node:crypto";

/** A bridge's network, by the bridge's own address in it. */
export interface Subnet {
  /** IPv4, without prefix length. */
  address: string;
  /** Length of the prefix. */
  length: number;
}

/**
 * Returns an address of the network that is not taken; undefined when all are. Which one depends on the seed, so that a
 * container that is made again mostly gets the same.
 */
export function freeAddress({ address, length }: Subnet, taken: Iterable<string>, seed: string): string | undefined {
  const used = new Set([address, ...taken]);
  const size = 2 ** (32 - length);
  const network = Math.floor(toNumber(address) / size) * size;
  const usable = size - 2;
  const first = createHash("sha256").update(seed).digest().readUInt32BE() % usable;
  for (let step = 0; step < usable; step++) {
    const candidate = toAddress(network + 1 + ((first + step) % usable));
    if (!used.has(candidate)) return candidate;
  }
  return undefined;
}

/** Returns whether an address is in a network. */
export function isInside({ address, length }: Subnet, candidate: string): boolean {
  const size = 2 ** (32 - length);
  return Math.floor(toNumber(address) / size) === Math.floor(toNumber(candidate) / size);
}

/** Returns whether an address is the network's own or its broadcast address. */
export function isEdge({ length }: Subnet, candidate: string): boolean {
  const size = 2 ** (32 - length);
  return size > 2 && [0, size - 1].includes(toNumber(candidate) % size);
}

/** Returns whether a container can have an address: it is neither loopback, link-local, multicast nor reserved. */
export function isUnicast(address: string): boolean {
  const [first = 0, second] = address.split(".").map(Number);
  return first > 0 && first < 224 && first !== 127 && !(first === 169 && second === 254);
}

/** Returns the network's broadcast address; networks of one or two addresses have none. */
export function broadcastOf({ address, length }: Subnet): string | undefined {
  const size = 2 ** (32 - length);
  return size > 2 ? toAddress(Math.floor(toNumber(address) / size) * size + size - 1) : undefined;
}

function toNumber(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toAddress(value: number): string {
  return [24, 16, 8, 0].map((bits) => Math.floor(value / 2 ** bits) % 256).join(".");
}
