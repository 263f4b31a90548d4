import type { Container, Engine } from "../../engines/engine.ts";
import { createForwarding, type Forwarding, type ForwardingOptions } from "../../forwarding/forwarding.ts";
import type { ViewListener } from "../../inventory/view-listener.ts";
import type { Inventory } from "../../inventory/inventory.ts";

export interface ForwarderOptions extends Pick<ForwardingOptions, "station" | "log" | "checkInterval"> {
  /** The engines of this station. */
  engines: readonly Engine[];
  /** Asked only later: it tells this listener from its beginning. */
  inventory: () => Inventory;
}

/** Forwards the ports of what is in the inventory. */
export interface Forwarder extends Pick<Forwarding, "start" | "unavailableReason" | "stop"> {
  /** Keeps the forwarding in step with the inventory. */
  readonly listener: ViewListener;
  /** `Forwarding.waitUntilForwarded`, for any engine's container that the inventory has seen. */
  waitUntilForwarded(engine: Engine, container: Container): Promise<void>;
}

/** Makes the forwarding for the engines of this station that publish no ports themselves. */
export function createForwarder({ engines, inventory, ...rest }: ForwarderOptions): Forwarder {
  const needs = ({ capabilities }: Engine): boolean => !capabilities.publishedPorts;
  const forwarding = createForwarding({
    ...rest,
    engines: engines.filter(needs).map(({ type }) => type),
    containers: () =>
      inventory()
        .views()
        .filter(({ engine }) => needs(engine))
        .flatMap((view) => Array.from(view.containers())),
  });
  const changed = (engine: Engine): void => {
    if (needs(engine)) forwarding.containersChanged();
  };

  return {
    listener: {
      resynced: (engine) => needs(engine) && forwarding.engineListed(engine.type),
      started: changed,
      removed: changed,
    },
    start: forwarding.start,
    async waitUntilForwarded(engine, container) {
      if (needs(engine)) await forwarding.waitUntilForwarded(container);
    },
    unavailableReason: forwarding.unavailableReason,
    stop: forwarding.stop,
  };
}
