import type { Meter } from "./container-meter.ts";
import { createRates, type Numbers } from "./rates.ts";

/** A container's numbers with its addresses. */
export interface ContainerNumbers extends Numbers {
  /** IPv4 before IPv6, the address of the default route first; empty in a network that the container does not own. */
  ipaddress: readonly string[];
}

/** How often one container is sampled. Milliseconds. */
export interface SampleTimes {
  /** Between two samples of a container that is watched or new. */
  interval: number;
  /** Between two samples of any other container. */
  idleInterval: number;
  /** How long after its first sample a container counts as new. */
  newPeriod: number;
  /** How long known addresses of a watched container are valid. */
  addressPeriod: number;
}

/** Samples one container, that is, one process with its start time. */
export interface Sampler {
  /** The meter that is read. */
  readonly meter: Meter;
  /** Returns the numbers of the last sample. */
  numbers(): ContainerNumbers;
  /** Tells whether the next sample is due. `watched`: somebody asks for the numbers at this time. */
  isDue(watched: boolean): boolean;
  /**
   * Reads the meter. `shared`: another container owns the network namespace, so traffic and addresses are that one's.
   * Throws if the container's process has ended.
   */
  sample(options: { shared: boolean; watched: boolean }): void;
}

/** Takes the first sample. Throws if the container's process has ended. */
export function createSampler(meter: Meter, shared: boolean, times: SampleTimes): Sampler {
  const firstAt = performance.now();
  const rates = createRates(meter.read(), firstAt);
  let sampledAt = firstAt;
  let addressesAt = firstAt;
  let numbers: ContainerNumbers = { ...rates.numbers(), ipaddress: shared ? [] : meter.addresses() };

  return {
    meter,
    numbers: () => numbers,
    isDue(watched) {
      const now = performance.now();
      const isNew = now - firstAt < times.newPeriod + times.interval;
      // Timers are not exact: half an interval too early is still in time.
      return now - sampledAt > (watched || isNew ? times.interval : times.idleInterval) - times.interval / 2;
    },
    sample({ shared: isShared, watched }) {
      sampledAt = performance.now();
      rates.add(meter.read(), sampledAt);
      if (isShared) {
        numbers = { ...rates.numbers(), rx: 0, tx: 0, ipaddress: [] };
        return;
      }
      let { ipaddress } = numbers;
      if (ipaddress.length === 0 || (watched && sampledAt - addressesAt > times.addressPeriod)) {
        ipaddress = meter.addresses();
        addressesAt = sampledAt;
      }
      numbers = { ...rates.numbers(), ipaddress };
    },
  };
}

/**
 * Returns for each network namespace the sampler of the container that owns it. If several containers share a namespace,
 * the one whose process started first owns it and counts its traffic.
 */
export function findNetworkOwners(samplers: Iterable<Sampler>): Map<string, Sampler> {
  const owners = new Map<string, Sampler>();
  for (const sampler of samplers) {
    const { network, process } = sampler.meter;
    if (network === undefined) continue;
    const owner = owners.get(network);
    if (!owner || process.start < owner.meter.process.start) owners.set(network, sampler);
  }
  return owners;
}
