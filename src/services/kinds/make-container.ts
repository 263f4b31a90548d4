import type { Mount, NetworkMode, OwnerMark } from "../../engines/container-spec.ts";
import type { Container, Engine } from "../../engines/engine.ts";
import { hasCode } from "../../errors.ts";
import { assertMounted } from "../containers/mount-guard.ts";
import type { ContainerPlan } from "../planning/container-plan.ts";
import { byFullId } from "../planning/other-containers.ts";

/** A container that is to be made, with all that is known only when the task runs. */
export interface Making {
  /** The engine that makes it. */
  engine: Engine;
  /** What was planned, with the network that its name means. */
  plan: ContainerPlan & { network: NetworkMode };
  /** The other containers that it uses, by what the user calls them. */
  others: ReadonlyMap<string, Container>;
  /** Paths of the host that the plan's mounts are given from, in their order. */
  sources: readonly string[];
  /** Throws `conflict` when somebody has an address of its network card. */
  refuseCard: () => Promise<void>;
  /** The mark of the task. */
  mark: OwnerMark;
  /** Reference of the image, which is on this host. */
  image: string;
}

/** Makes the container and returns its id. `repeated`: an earlier try may have made it. */
export async function makeContainer(making: Making, repeated: boolean): Promise<string> {
  const { engine, plan, others, sources, mark, image } = making;
  const earlier = repeated ? await findOurs(engine, plan.name, mark) : undefined;
  if (earlier) return earlier.id;
  await making.refuseCard();
  const mounts = plan.mounts.map(({ target, readOnly }, index): Mount => ({
    source: sources[index] as string,
    target,
    readOnly,
  }));
  try {
    return await engine.containers.create({ ...plan, ...byFullId(plan, others), mounts, mark, image });
  } catch (error) {
    // The engine may have finished a call of ours whose answer was lost.
    const made = hasCode(error, "conflict") ? await findOurs(engine, plan.name, mark) : undefined;
    if (made) return made.id;
    throw error;
  }
}

/**
 * Starts the container and returns the id of the one that runs. A container whose first start was interrupted may be beyond
 * starting: then it is made anew.
 */
export async function startContainer(making: Making, made: string, repeated: boolean): Promise<string> {
  const { engine, plan, mark } = making;
  const earlier = repeated ? await findOurs(engine, plan.name, mark) : undefined;
  let id = earlier?.id ?? made;
  try {
    // A container that ran and has ended since is done: its command must not run twice.
    if (!earlier?.ended) await engine.containers.start(id);
  } catch (error) {
    if (!repeated || hasCode(error, "engine_unavailable")) throw error;
    await engine.containers.remove(id);
    id = await makeContainer(making, true);
    await engine.containers.start(id);
  }
  await assertMounted(engine, id, making.sources);
  return id;
}

/** Returns the container of this name if it bears this mark. */
async function findOurs(engine: Engine, name: string, mark: OwnerMark): Promise<Container | undefined> {
  const found = await engine.containers.getByName(name);
  return found?.mark?.station === mark.station && found.mark.task === mark.task ? found : undefined;
}
