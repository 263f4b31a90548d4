import { AppError, hasCode } from "../../errors.ts";
import type { PinnedFolders } from "../../shares/pinned-folders.ts";
import { createSemaphore } from "../../util/concurrency.ts";
import { planCommand } from "../planning/container-plan.ts";
import type { AuthorizedLookup } from "./authorized-lookup.ts";
import { authorize } from "../access/policy.ts";
import { showSharePaths } from "./container-settings.ts";
import type { InsideService } from "../contract/services.ts";
import type { Sessions } from "../accounts/sessions.ts";

/** Programs that run for callers at once. */
const atOnce = 32;
/** Logs that are read from engines at once, and requests that wait for that. */
const logsAtOnce = 16;
const logsWaiting = 256;
const usualTimeout = 60;
const usualTail = 100;
/** A ask into a container is answered within this, or not. */
const answerLimit = 20_000;

/** Looks into a container, and programs in it. A program runs at most once, and ends with its request: it is no task. */
export function createInsideService({
  sessions,
  authorizedLookup,
  pins,
}: {
  sessions: Sessions;
  authorizedLookup: AuthorizedLookup;
  pins: Pick<PinnedFolders, "placeOf">;
}): InsideService {
  const running = createSemaphore({
    width: atOnce,
    depth: 0,
    full: () => new AppError("too_many", `More than ${atOnce} programs run in containers already; try again later.`),
  });

  // Each may hold some MiB while an engine sends.
  const reading = createSemaphore({
    width: logsAtOnce,
    depth: logsWaiting,
    full: () => new AppError("too_many", `More than ${logsAtOnce + logsWaiting} logs are being read; try again later.`),
  });

  return {
    async inspect(caller, place) {
      const { view, container } = await authorizedLookup(sessions.authenticate(caller), "container:inspect", place);
      const inspected = await withTimeout((signal) => view.engine.containers.inspect(container.id, signal));
      return showSharePaths(inspected, pins);
    },

    async logs(caller, place, { tail = usualTail }) {
      const { view, container } = await authorizedLookup(sessions.authenticate(caller), "container:logs", place);
      const read = () => withTimeout((signal) => view.engine.containers.logs(container.id, tail, signal));
      const { text, truncated } = await reading(read);
      return { logs: text, tail, truncated };
    },

    async exec(caller, place, request, signal) {
      const user = sessions.authenticate(caller);
      authorize(user, "container:exec");
      const [program, ...args] = planCommand(request.command, "command") ?? [];
      if (program === undefined) throw new AppError("invalid", "command is empty", { details: { field: "command" } });
      const { view, container } = await authorizedLookup(user, "container:exec", place);
      const { timeout = usualTimeout, user: runAs, working_dir: workingDir, environment = [] } = request;
      const late = AbortSignal.timeout(timeout * 1000);
      const asked = { command: [program, ...args] as const, user: runAs, workingDir, environment };
      const end = AbortSignal.any([signal, late]);
      return running(() => view.engine.containers.exec(container.id, asked, end)).catch((error: unknown) => {
        if (!late.aborted || !hasCode(error, "cancelled")) throw error;
        throw new AppError("timeout", `The program was killed: it took longer than ${timeout} s.`);
      });
    },
  };
}

async function withTimeout<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = AbortSignal.timeout(answerLimit);
  try {
    return await ask(late);
  } catch (error) {
    if (!late.aborted || !hasCode(error, "cancelled")) throw error;
    throw new AppError("timeout", `The engine did not answer within ${answerLimit / 1000} s.`, { cause: error });
  }
}
