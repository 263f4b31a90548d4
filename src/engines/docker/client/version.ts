import { cancelled } from "../failures.ts";

/** The version that the driver is written for; a server that no longer speaks it gets its oldest. */
const wanted = "1.41";

/** The API version that is spoken with one Docker. */
export interface AgreedVersion {
  /** Returns the version as "1.41". It is asked for once for many calls. Throws `cancelled` when the signal aborts. */
  get(signal?: AbortSignal): Promise<string>;
  /** Has the next call ask again: another server may listen behind the same address. */
  forget(): void;
}

/** The part of Docker's answer to GET /version that is used. */
export interface ServerVersion {
  /** The newest version that the server speaks. */
  ApiVersion?: string;
  /** The oldest one. */
  MinAPIVersion?: string;
}

/** Returns the version that is agreed on with a server. `ask`: asks it. */
export function createAgreedVersion(ask: () => Promise<ServerVersion>): AgreedVersion {
  let agreed: Promise<string> | undefined;

  async function negotiate(): Promise<string> {
    const { ApiVersion, MinAPIVersion } = await ask();
    return clampVersion(ApiVersion, MinAPIVersion);
  }

  return {
    get(signal) {
      agreed ??= negotiate().catch((error: unknown) => {
        agreed = undefined;
        throw error;
      });
      return abortable(agreed, signal);
    },
    forget() {
      agreed = undefined;
    },
  };
}

function clampVersion(newest = wanted, oldest = wanted): string {
  const minor = (version: string): number => Number(version.split(".")[1] ?? 0);
  if (minor(oldest) > minor(wanted)) return oldest;
  return minor(newest) < minor(wanted) ? newest : wanted;
}

/** The version is asked for once for many calls, so no one's signal may end the question itself. */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(cancelled());
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
