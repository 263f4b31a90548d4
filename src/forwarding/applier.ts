import type { Container } from "../engines/engine.ts";
import { messageOf } from "../errors.ts";
import { allowLoopback, enableForwarding } from "./bridges.ts";
import { allowForwarded } from "./firewall.ts";
import { forgetFlows } from "./flows.ts";
import { createHairpins } from "./hairpins.ts";
import type { Holders } from "./holders.ts";
import type { Reports } from "./reports.ts";
import { byKey, type PortRules } from "./rules.ts";
import type { RunProgram } from "./run.ts";
import type { PortTable } from "./table.ts";

export interface ApplierOptions {
  run: RunProgram;
  table: PortTable;
  holders: Holders;
  reports: Reports;
}

/** Puts rules in force, with all of the host that they need; what is so already is only looked at. */
export type Apply = (rules: PortRules, containers: Iterable<Container>) => Promise<void>;

export function createApplier({ run, table, holders, reports }: ApplierOptions): Apply {
  const hairpins = createHairpins(run);
  /** Bridges that are open to 127.0.0.0/8 by this station. */
  let open: readonly string[] = [];

  /** Ports answer without it, but not to all or not for long: no reason to take them down. */
  async function beside(what: string, work: Promise<void>): Promise<void> {
    await work.then(
      () => reports.over(what),
      (error: unknown) => reports.say(what, `${what}: ${messageOf(error)}`, { error }),
    );
  }

  async function prepareHost(bridges: readonly string[]): Promise<void> {
    const turnedOn = "IP forwarding was off on this host, and is on now: ports of containers need it";
    if (await enableForwarding()) reports.say("ip_forward", turnedOn);
    for (const bridge of bridges) await beside("ports do not answer on 127.0.0.1", allowLoopback(bridge, true));
  }

  return async (rules, containers) => {
    const present = await table.read();
    const none = rules.mappings.length === 0;
    if (none && present.rules.bridges.length === 0 && open.length === 0) return holders.release([]);
    const left = [...new Set([...open, ...present.rules.bridges])].filter((bridge) => !rules.bridges.includes(bridge));
    // Closed before their guard goes.
    for (const bridge of left) await allowLoopback(bridge, false);
    const isSame = present.intact && same(present.rules, rules);
    if (!isSame) await table.write(rules);
    open = rules.bridges;
    if (!none) await prepareHost(rules.bridges);
    await beside("the firewall of this host may drop what is forwarded", allowForwarded(run, rules.bridges));
    if (!isSame) await beside("old connections of a port were not forgotten", forgetFlows(run, present.rules, rules));
    holders.release(rules.mappings);
    await holders.take(rules.mappings);
    await beside("containers may not reach their own ports", hairpins(runningOf(rules, containers)));
  };
}

function same(a: PortRules, b: PortRules): boolean {
  const [left, right] = [byKey(a.mappings), byKey(b.mappings)];
  const equal = [...left].every(([key, { address, port }]) => {
    const other = right.get(key);
    return other?.address === address && other.port === port;
  });
  return equal && left.size === right.size && a.bridges.toSorted().join() === b.bridges.toSorted().join();
}

function runningOf({ mappings }: PortRules, containers: Iterable<Container>): { pid: number; bridge: string }[] {
  const addresses = new Set(mappings.map(({ address }) => address));
  return [...containers].flatMap(({ pid, forward }) =>
    pid > 0 && forward && addresses.has(forward.address) ? { pid, bridge: forward.bridge } : [],
  );
}
