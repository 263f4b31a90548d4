import type { MeteredContainer, OpenMeter } from "./container-meter.ts";
import {
  createSampler,
  findNetworkOwners,
  type ContainerNumbers,
  type Sampler,
  type SampleTimes,
} from "./container-sampler.ts";

/** A running container whose numbers are wanted. */
export interface Subject extends MeteredContainer {
  /** Unique over all engines. */
  key: string;
  /** Is called when the kernel no longer knows the container's process: the inventory's entry of it is out of date. */
  onGone(): void;
}

/** The kernel's numbers of all running containers, kept up to date. */
export interface LiveNumbers {
  /** Returns the last sample of a container, or undefined before the first one, or if its first process is not `pid`. */
  get(key: string, pid: number): ContainerNumbers | undefined;
  /** Says that somebody asked for numbers: for `watchPeriod` all containers are sampled at every interval. */
  watch(): void;
  /** Stops sampling. */
  close(): void;
}

export interface LiveNumbersOptions {
  /** Lists the containers that run now. */
  subjects: () => Iterable<Subject>;
  /** Opens the meter of a container. */
  open: OpenMeter;
  /** Tells whether somebody follows the numbers without asking, by an open event stream. */
  watched?: () => boolean;
  /** Differences from the default times, for tests. */
  times?: Partial<NumberTimes>;
}

/** Milliseconds. */
export interface NumberTimes extends SampleTimes {
  /** How long containers count as watched after somebody asked. */
  watchPeriod: number;
  /** Work at a stretch, after which requests get their turn. */
  slice: number;
}

const defaultTimes: NumberTimes = {
  interval: 1000,
  idleInterval: 10_000,
  watchPeriod: 10_000,
  newPeriod: 5000,
  addressPeriod: 5000,
  slice: 5,
};

/**
 * Looks at every interval which containers run, and samples those that are due. Two samples of a container are never less
 * than an interval apart, so the cost does not grow with the number of those who ask.
 */
export function createLiveNumbers({ subjects, open, watched, times: given }: LiveNumbersOptions): LiveNumbers {
  const times = { ...defaultTimes, ...given };
  const samplers = new Map<string, Sampler>();
  /** When `onGone` of a container was called last. */
  const reportedAt = new Map<string, number>();
  let watchedUntil = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  async function sampleAll(): Promise<void> {
    const now = performance.now();
    const isWatched = now < watchedUntil || watched?.() === true;
    const running = [...subjects()];
    dropStopped(new Set(running.map(({ key }) => key)));
    const owners = findNetworkOwners(samplers.values());
    let pause = now + times.slice;
    for (const subject of running) {
      sampleOne(subject, owners, isWatched);
      if (performance.now() < pause) continue;
      await new Promise((resolve) => setImmediate(resolve));
      pause = performance.now() + times.slice;
    }
  }

  function sampleOne(subject: Subject, owners: ReadonlyMap<string, Sampler>, isWatched: boolean): void {
    try {
      const sampler = samplers.get(subject.key);
      if (sampler?.meter.process.pid !== subject.pid) return add(subject);
      if (!sampler.isDue(isWatched)) return;
      const { network } = sampler.meter;
      const shared = network !== undefined && owners.get(network) !== sampler;
      sampler.sample({ shared, watched: isWatched });
    } catch {
      samplers.delete(subject.key);
      reportGone(subject);
    }
  }

  function add(subject: Subject): void {
    samplers.delete(subject.key);
    const meter = open(subject);
    if (!meter) return;
    // A container that is in the same network namespace already started before this one.
    const { network } = meter;
    const shared = network !== undefined && [...samplers.values()].some((other) => other.meter.network === network);
    samplers.set(subject.key, createSampler(meter, shared, times));
  }

  /** Calls `onGone`, at most once per idle interval: where `/proc` cannot be read, engines would be asked all the time. */
  function reportGone({ key, onGone }: Subject): void {
    const now = performance.now();
    if (now - (reportedAt.get(key) ?? Number.NEGATIVE_INFINITY) < times.idleInterval) return;
    reportedAt.set(key, now);
    onGone();
  }

  function dropStopped(running: ReadonlySet<string>): void {
    for (const map of [samplers, reportedAt]) for (const key of map.keys()) if (!running.has(key)) map.delete(key);
  }

  function schedule(): void {
    if (closed) return;
    timer = setTimeout(() => void sampleAll().finally(schedule), times.interval).unref();
  }

  schedule();
  return {
    get(key, pid) {
      const sampler = samplers.get(key);
      return sampler?.meter.process.pid === pid ? sampler.numbers() : undefined;
    },
    watch: () => void (watchedUntil = performance.now() + times.watchPeriod),
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
