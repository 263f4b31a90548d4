import type { KindFacts, KindWork, TaskKind } from "../task-kind.ts";
import { defineTaskKind } from "../task-kind.ts";
import { storedRequest } from "../stored-request.ts";
import { Target } from "../container/target.ts";
import { planTarget } from "../container/verb.ts";

/**
 * Makes the kind of a job from a verb of a container. A job was promised when it was accepted and nobody waits for it at
 * its request. So it has no `settle`: it is carried out also after a restart of the station, and when its engine was away.
 */
export function defineJob<const Name extends string>(
  kind: Name,
  { verb, endsOnly, run }: Pick<KindFacts, "verb" | "endsOnly"> & Pick<KindWork<Target>, "run">,
): TaskKind<Name, Target> {
  return defineTaskKind({
    kind,
    category: null,
    verb,
    lane: "quick",
    ...(endsOnly && { endsOnly }),
    request: storedRequest(Target),
    async plan(request) {
      return planTarget(request);
    },
    run,
  });
}
