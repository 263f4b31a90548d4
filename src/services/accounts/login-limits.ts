import { AppError } from "../../errors.ts";
import { sourceNetwork } from "../../util/addresses/source-network.ts";
import { createSemaphore } from "../../util/concurrency.ts";

export interface LimitOptions {
  /** Wrong passwords of one account in a row before it has to wait. */
  tries: number;
  /** Wrong passwords of one network in a minute. */
  perMinute: number;
}

/** `half`: the password was right and something is still missing, so that it neither counts nor forgives. */
export type Verdict = "right" | "half" | "wrong";

export interface LoginLimits {
  /** Runs `check` when this account may be tried from this address, or throws `too_many`. */
  attempt<T extends { verdict: Verdict }>(account: string, address: string, check: () => Promise<T>): Promise<T>;
  /** Remembers a network from which the account has logged in. */
  trust(account: string, network: string): void;
  /** Forgets the networks from which the account has logged in. */
  forget(account: string): void;
}

/** Networks of an account that are remembered as its own: the last ones from which it has logged in. */
export const networksPerUser = 20;

const second = 1000;
const minute = 60 * second;
const longestWait = 15 * minute;
/** Milliseconds after which a count that was not added to begins again. */
const memory = 60 * minute;
/** Accounts, and networks, that are remembered: names that do not exist count too. */
const remembered = 20_000;

interface Count {
  failures: number;
  /** Tries that have not ended. They count as failed until they succeed. */
  open: number;
  /** Monotonic. */
  until: number;
  last: number;
}
type Account = Count & { gate: ReturnType<typeof createSemaphore> };

/**
 * Limits against guessing. An account that got `tries` wrong passwords waits 1 s, and with each further one twice as
 * long, 15 minutes at most. Its tries go one after the other, so that many at once are no way around. A network from
 * which the account has logged in before counts on its own: whoever guesses from elsewhere keeps nobody out.
 */
export function createLoginLimits({ tries, perMinute }: LimitOptions): LoginLimits {
  const accounts = new Map<string, Account>();
  const networks = new Map<string, Count>();
  const trusted = new Map<string, Set<string>>();

  function keyOf(account: string, network: string): string {
    return trusted.get(account)?.has(network) ? `${network} ${account}` : `* ${account}`;
  }

  function accountOf(key: string): Account {
    const known = recall(accounts, key);
    if (known) return known;
    const gate = createSemaphore({ width: 1, depth: 50, full: () => tooMany(second, "Too many logins at once") });
    return remember(accounts, key, { ...newCount(), gate });
  }

  function networkOf(network: string): Count {
    const count = recall(networks, network) ?? remember(networks, network, newCount());
    if (performance.now() >= count.until) Object.assign(count, { failures: 0, until: performance.now() + minute });
    return count;
  }

  function refuseBlocked(account: Account): void {
    const wait = account.until - performance.now();
    if (account.failures >= tries && wait > 0) throw tooMany(wait, "Too many wrong passwords for this user");
  }

  function judge(account: Account, network: Count, verdict: Verdict): void {
    const now = performance.now();
    account.last = now;
    if (verdict === "right") account.failures = 0;
    if (verdict !== "wrong") return;
    network.failures++;
    account.failures++;
    const beyond = account.failures - tries;
    if (beyond >= 0) account.until = now + Math.min(second * 2 ** beyond, longestWait);
  }

  return {
    async attempt(account, address, check) {
      const own = sourceNetwork(address);
      const counted = accountOf(keyOf(account, own));
      refuseBlocked(counted);
      const network = networkOf(own);
      if (network.failures + network.open >= perMinute)
        throw tooMany(network.until - performance.now(), "Too many logins from this network");
      network.open++;
      counted.open++;
      try {
        return await counted.gate(async () => {
          refuseBlocked(counted);
          const result = await check();
          judge(counted, network, result.verdict);
          return result;
        });
      } finally {
        network.open--;
        counted.open--;
      }
    },
    trust(account, network) {
      const known = trusted.get(account) ?? new Set();
      trusted.set(account, known);
      known.delete(network);
      known.add(network);
      const [oldest = network] = known;
      if (known.size > networksPerUser) known.delete(oldest);
    },
    forget(account) {
      trusted.delete(account);
    },
  };
}

function newCount(): Count {
  return { failures: 0, open: 0, until: 0, last: performance.now() };
}

/**
 * Returns a count, and moves it to the end of the map, where the last used ones are. A count that is too old is dropped.
 */
function recall<T extends Count>(counts: Map<string, T>, key: string): T | undefined {
  const count = counts.get(key);
  if (!count) return undefined;
  counts.delete(key);
  if (count.open === 0 && performance.now() - Math.max(count.last, count.until) > memory) return undefined;
  counts.set(key, count);
  return count;
}

function remember<T extends Count>(counts: Map<string, T>, key: string, count: T): T {
  for (const [old, { open }] of counts) {
    if (counts.size < remembered) break;
    if (open === 0) counts.delete(old);
  }
  counts.set(key, count);
  return count;
}

function tooMany(wait: number, what: string): AppError {
  const retryAfter = Math.max(1, Math.ceil(wait / 1000));
  const message = `${what}: try again in ${retryAfter} s.`;
  return new AppError("too_many", message, { details: { retryAfter } });
}
