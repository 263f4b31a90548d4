import { AppError, invalid } from "../../errors.ts";
import type { Container } from "../engine.ts";
import type { ContainerSpec } from "../container-spec.ts";
import type { ReshapePlan, Reshaping, Shape } from "../shape.ts";
import type { Announce, Call, FakeState } from "./state.ts";

interface Deps {
  state: FakeState;
  call: Call;
  announce: Announce;
  /** Throws `not_found`. */
  present(id: string): Container;
  run(id: string): void;
  end(id: string): void;
}

/** What every container of the fake uses, in bytes. */
const used = { size: 1 << 20, memory: 1 << 20 };
const bridgeAddress = "10.98.0.1";

/**
 * Returns the changes of a container as it is. A container without a size gets one only with a restart, as where its
 * files must be moved for it.
 */
export function createFakeShape({ state, call, announce, present, run, end }: Deps): Reshaping {
  function shapeOf(id: string): Shape {
    const { id: full, name } = present(id);
    const { hostname = name, limits } = specOf(full);
    const { cpuTime, memory, size } = limits;
    return {
      hostname,
      ...(cpuTime !== undefined && { cpuTime }),
      ...(memory !== undefined && { memory }),
      ...(size !== undefined && { size }),
      ...state.networks.get(full),
    };
  }

  function specOf(id: string): ContainerSpec {
    const spec = state.specs.get(id);
    if (!spec) throw new AppError("not_found", `The fake engine has no container ${id}.`);
    return spec;
  }

  function plan(id: string, { size, memory, addresses = [] }: Shape): ReshapePlan {
    const container = present(id);
    const running = container.state === "running";
    if (memory !== undefined && running && memory < used.memory)
      throw invalid("memory", "is less than what is in use.");
    if (size !== undefined && size < used.size) throw conflict("size", "The size is less than what is used.");
    for (const address of addresses) refuseUsed(container.id, address);
    return { restarts: running && size !== undefined && specOf(container.id).limits.size === undefined };
  }

  function refuseUsed(id: string, given: string): void {
    const address = bare(given);
    const others = [...state.networks].flatMap(([owner, { addresses = [] }]) => (owner === id ? [] : addresses));
    if (address !== bridgeAddress && !others.some((other) => bare(other) === address)) return;
    throw conflict("addresses", `The address ${address} is in use.`);
  }

  function change(id: string, wanted: Shape): void {
    const { restarts } = plan(id, wanted);
    const container = present(id);
    const { hostname, cpuTime, memory, size, ...network } = structuredClone(wanted);
    if (restarts) end(container.id);
    const spec = specOf(container.id);
    const limits = {
      ...spec.limits,
      ...(cpuTime !== undefined && { cpuTime }),
      ...(memory !== undefined && { memory }),
      ...(size !== undefined && { size }),
    };
    state.specs.set(container.id, { ...spec, limits, ...(hostname !== undefined && { hostname }) });
    state.networks.set(container.id, { ...state.networks.get(container.id), ...network });
    if (restarts) run(container.id);
    announce("container", "update", container.id);
  }

  return {
    shape: (id, signal) =>
      call({ method: "containers.shape", subject: id, signal }, () => structuredClone(shapeOf(id))),
    planReshape: (id, wanted, signal) =>
      call({ method: "containers.planReshape", subject: id, signal }, () => plan(id, wanted)),
    reshape: (id, wanted, signal) =>
      call({ method: "containers.reshape", subject: id, signal }, () => change(id, wanted)),
  };
}

const bare = (address: string): string => address.split("/")[0] ?? "";

function conflict(field: keyof Shape, message: string): AppError {
  return new AppError("conflict", message, { details: { field } });
}
