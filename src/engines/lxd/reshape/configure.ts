import { invalid } from "../../../errors.ts";
import type { Shape } from "../../shape.ts";
import { reasonOf } from "../failures.ts";
import { type Instance, keys } from "../client/instance.ts";
import { isQuotaExceeded, setLimitByPool, type PatchInstance } from "./patch-instance.ts";
import { limitsPatch, namesPatch, type Patch, sizePatch, undoOf } from "./patches.ts";
import { belowUsage, type PlannedShape } from "./plan.ts";
import { addressInUse } from "../network/taken-addresses.ts";

interface Step {
  patch(instance: Instance): Patch;
  failure(error: unknown): unknown;
}

/** Puts back what was there, as far as it goes. */
export type Undo = () => Promise<void>;

/**
 * Returns what makes a planned change in LXD's configuration, and with it in what runs: all of it or nothing. It
 * returns the undo.
 */
export function createConfiguring(patch: PatchInstance) {
  return async function configure(planned: PlannedShape, change: Shape): Promise<Undo> {
    const { instance } = planned;
    const done: Patch[] = [];
    const undo = async (): Promise<void> => {
      for (const step of done.toReversed())
        await patch(instance.name, () => undoOf(step, instance)).catch(() => undefined);
    };
    for (const step of stepsOf(planned, change)) {
      try {
        await patchOrLoosen(instance.name, step, change.size);
        done.push(step.patch(instance));
      } catch (error) {
        await undo();
        throw step.failure(error);
      }
    }
    return undo;
  };

  async function patchOrLoosen(name: string, step: Step, size: number | undefined): Promise<void> {
    try {
      await patch(name, step.patch);
    } catch (error) {
      if (size === undefined || !isQuotaExceeded(error) || !(await setLimitByPool(error, size))) throw error;
      await patch(name, step.patch);
    }
  }
}

/** Returns the steps of a change, with what fails most likely first. */
function stepsOf({ instance: { name }, network, pid, moves }: PlannedShape, change: Shape): Step[] {
  const { cpuTime, memory, size } = change;
  const limits: Step = { patch: () => limitsPatch(change), failure: limitFailure };
  const flags = moves && pid > 0 ? { restart: true as const } : {};
  const names: Step = {
    patch: (now) => withMoving(namesPatch(now, change, network, flags), moves ? name : undefined),
    failure: addressFailure,
  };
  return [
    ...(cpuTime === undefined && memory === undefined ? [] : [limits]),
    ...(size === undefined ? [] : [{ patch: (now: Instance) => sizePatch(now, size), failure: sizeFailure }]),
    names,
  ];
}

function withMoving(names: Patch, name: string | undefined): Patch {
  return name === undefined ? names : { ...names, config: { ...names.config, [keys.moving]: name } };
}

function limitFailure(error: unknown): unknown {
  if (!/cgroup item|resource busy/i.test(reasonOf(error))) return error;
  return invalid("memory", "is below what the container uses: the kernel says so.");
}

function sizeFailure(error: unknown): unknown {
  return isQuotaExceeded(error) ? belowUsage(undefined, error) : error;
}

function addressFailure(error: unknown): unknown {
  const [, address] = /IP address "([\d.]+)" already defined/i.exec(reasonOf(error)) ?? [];
  return address === undefined ? error : addressInUse(address, error);
}
