import { AppError } from "../errors.ts";

/**
 * What of a container can be changed after it was made. In a change, what is absent stays as it is; read, it is what the
 * engine or the image decides.
 */
export interface Shape {
  /** Letters, digits, dots and dashes, 63 at most. */
  hostname?: string;
  /** Milliseconds of one core in each second. */
  cpuTime?: number;
  /** Bytes. */
  memory?: number;
  /** Bytes of its root file system, which cannot grow beyond. */
  size?: number;
  /**
   * All that it has from now on, with or without prefix length: without, the bridge's inside the bridge's subnet, else
   * 32. Outside that subnet the host gets a route to the container.
   */
  addresses?: readonly string[];
  /** All that it has from now on. */
  nameServers?: readonly string[];
}

/** What a change would do beside being made. */
export interface ReshapePlan {
  /** The container runs, and is stopped and started for this. */
  restarts: boolean;
}

/** Changes of a container as it is, running or not. Only with `reshapes`; `not_found` for one that is not there. */
export interface Reshaping {
  /** Returns what is set for a container. */
  shape(id: string, signal?: AbortSignal): Promise<Shape>;
  /**
   * Says what `reshape` would do, and changes nothing. Throws `invalid` or `conflict`, in its details the `field` of
   * `Shape` that cannot be: an address that somebody has, a size below what is used.
   */
  planReshape(id: string, change: Shape, signal?: AbortSignal): Promise<ReshapePlan>;
  /**
   * Makes the change for good, and at once on what runs; restarts it where the plan says so. Called again after a crash
   * in the middle, it ends as if called once. Throws as `planReshape` does, and then has changed nothing.
   */
  reshape(id: string, change: Shape, signal?: AbortSignal): Promise<void>;
}

/** Returns the changes of an engine that cannot make any: all throw `unsupported`. */
export function unsupportedReshaping(engine: string): Reshaping {
  const refuse = (): Promise<never> =>
    Promise.reject(new AppError("unsupported", `A container of ${engine} is not changed after it was made.`));
  return { shape: refuse, planReshape: refuse, reshape: refuse };
}
