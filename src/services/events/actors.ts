import { signatures } from "../accounts/signatures.ts";
import type { Handler, Kinds } from "../../tasks/handler.ts";

/** Who is doing something to a container, so that what the engine tells of it has a user. */
export interface Actors {
  /** "system" when no task of the station is at it. */
  of(type: string, name: string): string;
  /** Kinds whose tasks are watched. */
  watch(kinds: Kinds): Kinds;
}

/** Milliseconds: an engine may tell of a task's last act when the task is over. */
const afterglow = 1000;

export function createActors(): Actors {
  const acting = new Map<string, { user: string; tasks: number }>();

  function begin(key: string, user: string): () => void {
    const actor = acting.get(key) ?? { user, tasks: 0 };
    acting.set(key, actor);
    actor.user = user;
    actor.tasks++;
    return () => {
      setTimeout(() => {
        if (--actor.tasks === 0) acting.delete(key);
      }, afterglow).unref();
    };
  }

  function watched(handler: Handler): Handler {
    return {
      // It changes nothing.
      ...(handler.settle && { settle: handler.settle }),
      async run(context) {
        const type = (context.params as { type?: unknown } | null)?.type;
        const end = typeof type === "string" ? begin(`${type}/${context.name}`, context.user) : () => undefined;
        try {
          return await handler.run(context);
        } finally {
          end();
        }
      },
    };
  }

  return {
    of: (type, name) => acting.get(`${type}/${name}`)?.user ?? signatures.system,
    watch: (kinds) => ({
      ...kinds,
      handlers: Object.fromEntries(Object.entries(kinds.handlers).map(([kind, handler]) => [kind, watched(handler)])),
    }),
  };
}
