import type { Container, EngineType } from "../engines/engine.ts";
import { AppError, messageOf } from "../errors.ts";
import { createSharedRun } from "../util/concurrency.ts";
import type { Log } from "../util/log.ts";
import { sleep } from "../util/sleep.ts";
import { createApplier } from "./applier.ts";
import { createAvailability } from "./availability.ts";
import { createPortReservations } from "./port-reservations.ts";
import { createProgramRunner } from "./programs.ts";
import { createReports } from "./reports.ts";
import type { RulePlan } from "./rule-plan.ts";
import { createRuleSource, type RuleSourceOptions } from "./rule-source.ts";
import { byKey, portKey } from "./rules.ts";
import { createPortTable } from "./table.ts";

/** Forwards IPv4 ports of the host to containers whose engine does not publish ports itself (`publishedPorts`). */
export interface Forwarding {
  /** Puts the rules for the known containers in force, and keeps them so. */
  start(): Promise<void>;
  /** Says that all containers of this engine are known. Rules of an earlier station stay until that is so of all engines. */
  engineListed(type: EngineType): void;
  /** Says that containers have changed. Ports that no container has any more are free when it returns; the rules follow. */
  containersChanged(): void;
  /**
   * Resolves when the ports of this container answer. Throws `unsupported` if this host cannot forward ports, `conflict`
   * if another container has one of them, `engine_failed` if the container has no address or the host refuses.
   */
  waitUntilForwarded(container: Container): Promise<void>;
  /** Returns why this host cannot forward ports, or undefined if it can or was not probed yet. */
  unavailableReason(): string | undefined;
  /** Stops following changes and frees the ports. The rules stay in force. */
  stop(): Promise<void>;
}

export interface ForwardingOptions extends RuleSourceOptions {
  /** Is told about faults and about changes of the host's settings. */
  log: Log;
  /** Milliseconds between two checks of the rules, because other programs may change them. Absent: 30 s. */
  checkInterval?: number;
}

const defaultCheckInterval = 30_000;

/**
 * Makes the forwarding; `start` puts it in force.
 *
 * INVARIANTS: the rules in force follow from the containers that bear this station's mark. A port is reserved only after
 * its rule is in force. No rule of an earlier station is removed before all engines were listed once.
 */
export function createForwarding(options: ForwardingOptions): Forwarding {
  const { station, log, checkInterval = defaultCheckInterval } = options;
  const run = createProgramRunner(station);
  const table = createPortTable(run);
  const reports = createReports(log);
  const reservations = createPortReservations(reports);
  const apply = createApplier({ run, table, reservations, reports });
  const availability = createAvailability(table);
  const source = createRuleSource(options);
  const end = new AbortController();
  let started = false;

  async function readEarlierRules(): Promise<void> {
    try {
      source.keepUntilListed((await table.read()).rules);
    } catch (error) {
      reports.report("start", `ports of before are not known: ${messageOf(error)}`, { error });
    }
  }

  const applyRules = createSharedRun(async () => {
    for (const [name, fault] of source.plan().faults) reports.report(`container ${name}`, fault);
    const rules = source.rules();
    if (await availability.check(rules.mappings.length > 0)) await apply(rules, source.containers());
  });

  async function applyAndReport(): Promise<void> {
    if (!started || end.signal.aborted) return;
    await applyRules().then(
      () => reports.clear("apply"),
      (error: unknown) => reports.report("apply", `ports are not forwarded: ${messageOf(error)}`, { error }),
    );
  }

  async function checkForever(): Promise<void> {
    for (;;) {
      await sleep(checkInterval, end.signal);
      if (end.signal.aborted) return;
      await applyAndReport();
    }
  }

  return {
    async start() {
      if (options.engines.length === 0) return;
      await availability.probe();
      if (availability.reason() === undefined) await readEarlierRules();
      started = true;
      await applyAndReport();
      void checkForever();
    },
    engineListed(type) {
      source.engineListed(type);
      void applyAndReport();
    },
    containersChanged() {
      if (started) reservations.release(source.rules().mappings);
      void applyAndReport();
    },
    async waitUntilForwarded(container) {
      if (container.ports.length === 0) return;
      if (started) await applyRules();
      assertForwarded(container, source.plan(), started);
    },
    unavailableReason: availability.reason,
    async stop() {
      end.abort();
      if (started) await applyRules.idle();
      reservations.release([]);
    },
  };
}

function assertForwarded({ name, ports, forward }: Container, { rules, faults }: RulePlan, started: boolean): void {
  const fault = faults.get(name);
  const mappings = byKey(rules.mappings);
  const isMapped = ports.every((port) => mappings.get(portKey(port))?.address === forward?.address);
  if (fault === undefined && isMapped && started) return;
  const code = fault !== undefined && forward !== undefined ? "conflict" : "engine_failed";
  throw new AppError(code, fault ?? `The ports of ${name} do not answer.`);
}
