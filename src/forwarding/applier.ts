import type { Container } from "../engines/engine.ts";
import { messageOf } from "../errors.ts";
import { allowLoopback, enableForwarding } from "./kernel-settings.ts";
import { allowForwarded } from "./firewall.ts";
import { deleteStaleFlows } from "./conntrack.ts";
import { createHairpinMode } from "./hairpin.ts";
import type { PortReservations } from "./port-reservations.ts";
import type { Reports } from "./reports.ts";
import { byKey, type PortRules } from "./rules.ts";
import type { RunProgram } from "./programs.ts";
import type { PortTable } from "./table.ts";

export interface ApplierOptions {
  /** Runs iptables, conntrack and nsenter. */
  run: RunProgram;
  /** The kernel's table of forwarded ports. */
  table: PortTable;
  /** The sockets that reserve forwarded ports. */
  reservations: PortReservations;
  /** Is told about settings that were changed and about failures that do not stop forwarding. */
  reports: Reports;
}

/**
 * Puts rules in force, with all settings of the host that they need. What is in force already is only checked. Throws
 * `engine_failed` if the kernel refuses the rules.
 */
export type Apply = (rules: PortRules, containers: Iterable<Container>) => Promise<void>;

/** Returns a function that puts rules in force. It must not be called again before it has resolved. */
export function createApplier({ run, table, reservations, reports }: ApplierOptions): Apply {
  const enableHairpins = createHairpinMode(run);
  /** Bridges for which this station has set `route_localnet`. */
  let open: readonly string[] = [];

  /** Does work without which ports answer, but not everybody or not for long. A failure is reported and goes no further. */
  async function tryOptional(what: string, work: Promise<void>): Promise<void> {
    await work.then(
      () => reports.clear(what),
      (error: unknown) => reports.report(what, `${what}: ${messageOf(error)}`, { error }),
    );
  }

  async function prepareHost(bridges: readonly string[]): Promise<void> {
    const message = "IP forwarding was off on this host, and is on now: ports of containers need it";
    if (await enableForwarding()) reports.report("ip_forward", message);
    for (const bridge of bridges) await tryOptional("ports do not answer on 127.0.0.1", allowLoopback(bridge, true));
  }

  return async (rules, containers) => {
    const current = await table.read();
    const isEmpty = rules.mappings.length === 0;
    if (isEmpty && current.rules.bridges.length === 0 && open.length === 0) return reservations.release([]);
    const closing = [...new Set([...open, ...current.rules.bridges])].filter(
      (bridge) => !rules.bridges.includes(bridge),
    );
    // Bridges are closed to 127.0.0.0/8 before the table that guards them loses their names.
    for (const bridge of closing) await allowLoopback(bridge, false);
    const isSame = current.intact && haveSameRules(current.rules, rules);
    if (!isSame) await table.write(rules);
    open = rules.bridges;
    if (!isEmpty) await prepareHost(rules.bridges);
    await tryOptional("the firewall of this host may drop what is forwarded", allowForwarded(run, rules.bridges));
    if (!isSame)
      await tryOptional("old connections of a port were not forgotten", deleteStaleFlows(run, current.rules, rules));
    reservations.release(rules.mappings);
    await reservations.reserve(rules.mappings);
    await tryOptional("containers may not reach their own ports", enableHairpins(bridgedProcesses(rules, containers)));
  };
}

function haveSameRules(a: PortRules, b: PortRules): boolean {
  const [closing, right] = [byKey(a.mappings), byKey(b.mappings)];
  const equal = [...closing].every(([key, { address, port }]) => {
    const other = right.get(key);
    return other?.address === address && other.port === port;
  });
  return equal && closing.size === right.size && a.bridges.toSorted().join() === b.bridges.toSorted().join();
}

function bridgedProcesses({ mappings }: PortRules, containers: Iterable<Container>): { pid: number; bridge: string }[] {
  const addresses = new Set(mappings.map(({ address }) => address));
  return [...containers].flatMap(({ pid, forward }) =>
    pid > 0 && forward && addresses.has(forward.address) ? { pid, bridge: forward.bridge } : [],
  );
}
