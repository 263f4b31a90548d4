import { reservedNames } from "../accounts/reserved-names.ts";
import type { Handler, Kinds } from "../../tasks/handler.ts";

/** Knows which user's task is doing something to a container, so that events of the engine have a user. */
export interface ActingUsers {
  /** Returns the user's name, or "system" if no task of the station is at work on the container. */
  of(type: string, name: string): string;
  /** Returns the kinds with handlers that say when they begin and end. */
  watch(kinds: Kinds): Kinds;
}

/** Milliseconds after a task's end in which an engine may still tell of its last act. */
const eventDelay = 1000;

/** Makes the table of the users of running tasks. */
export function createActingUsers(): ActingUsers {
  const acting = new Map<string, { user: string; tasks: number }>();

  function begin(key: string, user: string): () => void {
    const actor = acting.get(key) ?? { user, tasks: 0 };
    acting.set(key, actor);
    actor.user = user;
    actor.tasks++;
    return () => {
      setTimeout(() => {
        if (--actor.tasks === 0) acting.delete(key);
      }, eventDelay).unref();
    };
  }

  function watched(handler: Handler, type: string | undefined): Handler {
    return {
      // It changes nothing.
      ...(handler.settle && { settle: handler.settle }),
      async run(context) {
        const end = type === undefined ? () => undefined : begin(`${type}/${context.name}`, context.user);
        try {
          return await handler.run(context);
        } finally {
          end();
        }
      },
    };
  }

  return {
    of: (type, name) => acting.get(`${type}/${name}`)?.user ?? reservedNames.system,
    watch: (kinds) => ({
      ...kinds,
      handlers: Object.fromEntries(
        Object.entries(kinds.handlers).map(([kind, handlerOf]) => [
          kind,
          (request: unknown) => watched(handlerOf(request), engineTypeOf(request)),
        ]),
      ),
    }),
  };
}

/** Returns the type of the engine that a request names; undefined if it names none. */
function engineTypeOf(request: unknown): string | undefined {
  if (typeof request !== "object" || request === null || !("type" in request)) return undefined;
  return typeof request.type === "string" ? request.type : undefined;
}
