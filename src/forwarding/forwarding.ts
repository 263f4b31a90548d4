import type { Container, EngineType } from "../engines/engine.ts";
import { AppError, messageOf } from "../errors.ts";
import { sleep } from "../util/sleep.ts";
import { createApplier } from "./applier.ts";
import { createHolders } from "./holders.ts";
import { createReports } from "./reports.ts";
import type { Log } from "../util/log.ts";
import { createSharedRun } from "../util/concurrency.ts";
import { byKey, noRules, portKey, type PortRules } from "./rules.ts";
import { programsOf } from "./run.ts";
import { createPortTable } from "./table.ts";
import { mergeRules, wantedRules } from "./wanted.ts";

/** The ports of containers whose engine publishes none (`publishedPorts`), IPv4: from the host's addresses to theirs. */
export interface Forwarding {
  /** Puts in force what is known so far, and keeps it so. */
  start(): Promise<void>;
  /** All containers of this engine are known. What an earlier station left is in force until they all are. */
  listed(type: EngineType): void;
  /** Containers changed: ports that are nobody's any more are free when it returns, the rules follow. */
  changed(): void;
  /**
   * Resolves when the ports of this container answer. Throws `unsupported` when this host cannot forward any, `conflict`
   * when one is another container's, `engine_failed` when it has no address or the host refuses.
   */
  settle(container: Container): Promise<void>;
  /** Why this host cannot forward ports; `undefined`: it can, or was not asked yet. */
  unavailable(): string | undefined;
  /** The rules stay in force. */
  stop(): Promise<void>;
}

export interface ForwardingOptions {
  station: string;
  /** Types of this station's engines that publish no ports. */
  engines: readonly EngineType[];
  /** Of those engines, as they were seen last. */
  containers: () => Iterable<Container>;
  log: Log;
  /** Milliseconds; others may change the host's rules. */
  reassertEvery?: number;
}

const usualReassert = 30_000;

/**
 * INVARIANTS: what is in force is a function of the containers that bear this station's mark. A port is held only after
 * its rule stands. Nothing of an earlier station is taken away before all engines were listed once.
 */
export function createForwarding(options: ForwardingOptions): Forwarding {
  const { station, containers, log, reassertEvery = usualReassert } = options;
  const run = programsOf(station);
  const table = createPortTable(run);
  const reports = createReports(log);
  const holders = createHolders(reports);
  const apply = createApplier({ run, table, holders, reports });
  const unlisted = new Set(options.engines);
  const end = new AbortController();
  let earlier = noRules;
  let refusal: string | undefined;
  let started = false;

  function wanted(): PortRules {
    const { rules } = wantedRules(containers(), station);
    return unlisted.size > 0 ? mergeRules(rules, earlier) : rules;
  }

  /** A host without nft is none that forwards; until somebody installs it. */
  async function probe(): Promise<void> {
    try {
      await table.probe();
      refusal = undefined;
    } catch (error) {
      refusal = `This host cannot forward ports of containers: ${messageOf(error)}`;
    }
  }

  async function readEarlier(): Promise<PortRules> {
    try {
      return (await table.read()).rules;
    } catch (error) {
      reports.say("start", `ports of before are not known: ${messageOf(error)}`, { error });
      return noRules;
    }
  }

  const passes = createSharedRun(async () => {
    const { faults } = wantedRules(containers(), station);
    for (const [name, fault] of faults) reports.say(`container ${name}`, fault);
    const rules = wanted();
    if (refusal !== undefined) await probe();
    if (refusal !== undefined && rules.mappings.length === 0) return;
    if (refusal !== undefined) throw new AppError("unsupported", refusal);
    await apply(rules, containers());
  });

  const pass = async (): Promise<void> => {
    if (!started || end.signal.aborted) return;
    await passes().then(
      () => reports.over("pass"),
      (error: unknown) => reports.say("pass", `ports are not forwarded: ${messageOf(error)}`, { error }),
    );
  };

  async function reassert(): Promise<void> {
    for (;;) {
      await sleep(reassertEvery, end.signal);
      if (end.signal.aborted) return;
      await pass();
    }
  }

  return {
    async start() {
      if (options.engines.length === 0) return;
      await probe();
      if (refusal === undefined) earlier = await readEarlier();
      started = true;
      await pass();
      void reassert();
    },
    listed(type) {
      unlisted.delete(type);
      void pass();
    },
    changed() {
      if (started) holders.release(wanted().mappings);
      void pass();
    },
    async settle(container) {
      if (container.ports.length === 0) return;
      if (started) await passes();
      const { rules, faults } = wantedRules(containers(), station);
      const fault = faults.get(container.name);
      const inForce = byKey(rules.mappings);
      const own = container.ports.every((port) => inForce.get(portKey(port))?.address === container.forward?.address);
      if (fault === undefined && own && started) return;
      const taken = fault !== undefined && container.forward !== undefined;
      throw new AppError(
        taken ? "conflict" : "engine_failed",
        fault ?? `The ports of ${container.name} do not answer.`,
      );
    },
    unavailable: () => refusal,
    async stop() {
      end.abort();
      if (started) await passes.idle();
      holders.release([]);
    },
  };
}
