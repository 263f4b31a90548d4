import type { Meter, Metered, OpenMeter } from "./meter.ts";
import { createRates, type Numbers, type Rates } from "./rates.ts";

/** A running container whose numbers are wanted. */
export interface Subject extends Metered {
  /** Unique over all engines. */
  key: string;
  /** To be told when the kernel no longer knows it: the engine's picture of it is out of date. */
  dirty(): void;
}

export interface ShownNumbers extends Numbers {
  ipaddress: readonly string[];
}

/** The kernel's numbers of all running containers, kept up to date. */
export interface LiveNumbers {
  /** Undefined for what was not looked at yet. `pid` says which of its lives is meant. */
  of(key: string, pid: number): ShownNumbers | undefined;
  /** Somebody looks: for some seconds there is a new sample every second. */
  watch(): void;
  close(): void;
}

export interface LiveNumbersOptions {
  /** Those that run now. */
  subjects: () => Iterable<Subject>;
  open: OpenMeter;
  /** Somebody looks all the time. */
  watched?: () => boolean;
  times?: Partial<NumberTimes>;
}

/** Milliseconds. */
export interface NumberTimes {
  /** Between two samples while somebody looks, and of a container that is new. */
  beat: number;
  /** Between two samples otherwise. */
  rest: number;
  /** How long one look counts. */
  watch: number;
  /** How long a container is new. */
  young: number;
  /** While somebody looks, addresses that are known are read again after this. */
  addresses: number;
  /** Work at a stretch; requests come between. */
  slice: number;
}

const usual: NumberTimes = { beat: 1000, rest: 10_000, watch: 10_000, young: 5000, addresses: 5000, slice: 5 };

interface Tracked {
  meter: Meter;
  rates: Rates;
  since: number;
  sampled: number;
  addressed: number;
  shown: ShownNumbers;
}

/**
 * Every second a look at who runs; a sample of those whose turn it is. Between samples of a container there is never less
 * than a beat, so reading costs the same however many ask.
 */
export function followNumbers({ subjects, open, watched, times: given }: LiveNumbersOptions): LiveNumbers {
  const times = { ...usual, ...given };
  const tracked = new Map<string, Tracked>();
  /** When it was last said that a container is out of date. */
  const doubted = new Map<string, number>();
  let watchedUntil = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  async function beat(): Promise<void> {
    const now = performance.now();
    const looked = now < watchedUntil || watched?.() === true;
    const running = [...subjects()];
    forget(new Set(running.map(({ key }) => key)));
    const owners = networkOwners();
    let pause = now + times.slice;
    for (const subject of running) {
      look(subject, owners, looked);
      if (performance.now() < pause) continue;
      await new Promise((resolve) => setImmediate(resolve));
      pause = performance.now() + times.slice;
    }
  }

  function look(subject: Subject, owners: ReadonlyMap<string, Tracked>, looked: boolean): void {
    try {
      const known = tracked.get(subject.key);
      if (known?.meter.incarnation.pid !== subject.pid) track(subject);
      else if (isDue(known, looked)) sample(known, isShared(known, owners), looked);
    } catch {
      tracked.delete(subject.key);
      doubt(subject);
    }
  }

  /** Where the kernel cannot be read at all, engines are not asked at every beat. */
  function doubt({ key, dirty }: Subject): void {
    const now = performance.now();
    if (now - (doubted.get(key) ?? Number.NEGATIVE_INFINITY) < times.rest) return;
    doubted.set(key, now);
    dirty();
  }

  function track(subject: Subject): void {
    tracked.delete(subject.key);
    const meter = open(subject);
    if (!meter) return;
    const at = performance.now();
    const rates = createRates(meter.read(), at);
    // Whoever is in that network already has begun it.
    const { network } = meter;
    const shared = network !== undefined && [...tracked.values()].some((other) => other.meter.network === network);
    const shown = { ...rates.numbers(), ipaddress: shared ? [] : meter.addresses() };
    tracked.set(subject.key, { meter, rates, since: at, sampled: at, addressed: at, shown });
  }

  function isDue({ since, sampled }: Tracked, looked: boolean): boolean {
    const now = performance.now();
    const young = now - since < times.young + times.beat;
    // Half a beat, because timers are not that exact.
    return now - sampled > (looked || young ? times.beat : times.rest) - times.beat / 2;
  }

  function sample(known: Tracked, shared: boolean, looked: boolean): void {
    const { meter, rates } = known;
    known.sampled = performance.now();
    rates.add(meter.read(), known.sampled);
    const numbers = rates.numbers();
    if (shared) {
      known.shown = { ...numbers, rx: 0, tx: 0, ipaddress: [] };
      return;
    }
    let { ipaddress } = known.shown;
    if (ipaddress.length === 0 || (looked && known.sampled - known.addressed > times.addresses)) {
      ipaddress = meter.addresses();
      known.addressed = known.sampled;
    }
    known.shown = { ...numbers, ipaddress };
  }

  /** Of several containers in one network namespace the one that began it counts its traffic. */
  function networkOwners(): Map<string, Tracked> {
    const owners = new Map<string, Tracked>();
    for (const one of tracked.values()) {
      const { network, incarnation } = one.meter;
      if (network === undefined) continue;
      const owner = owners.get(network);
      if (!owner || incarnation.start < owner.meter.incarnation.start) owners.set(network, one);
    }
    return owners;
  }

  function isShared(one: Tracked, owners: ReadonlyMap<string, Tracked>): boolean {
    const { network } = one.meter;
    return network !== undefined && owners.get(network) !== one;
  }

  function forget(running: ReadonlySet<string>): void {
    for (const map of [tracked, doubted]) for (const key of map.keys()) if (!running.has(key)) map.delete(key);
  }

  function next(): void {
    if (closed) return;
    timer = setTimeout(() => void beat().finally(next), times.beat).unref();
  }

  next();
  return {
    of(key, pid) {
      const known = tracked.get(key);
      return known?.meter.incarnation.pid === pid ? known.shown : undefined;
    },
    watch: () => void (watchedUntil = performance.now() + times.watch),
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
