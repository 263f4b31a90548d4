import { mapMethods } from "./contract/method-map.ts";
import type { Caller, Services } from "./contract/services.ts";
import type { Sessions } from "./accounts/sessions.ts";

/** What is the same whatever the engines have. Every other method waits. */
const withoutEngines =
  /^(?:(?:sessions|users|tokens|secondStep|log|refusals|registries|certificates|health)\.|background\.(?:list|remove|refuse)$|events\.(?:stream|recent)$)/;

export interface FirstListOptions {
  sessions: Pick<Sessions, "peek">;
  /** Resolves when every engine was listed once, or has had its time for that. */
  looked: Promise<void>;
}

/**
 * The services as they are called from outside: until every engine was listed once, requests that need one wait for that.
 * The station listens before, and without the wait it would say that an engine is away, or that a container is not there.
 */
export function waitForFirstLists(services: Services, { sessions, looked }: FirstListOptions): Services {
  let over = false;
  void looked.then(() => (over = true));
  return mapMethods(services, (name, method) => {
    if (withoutEngines.test(name)) return method;
    return async (...args) => {
      // Whoever has no session is told so at once.
      if (!over && sessions.peek(args[0] as Caller)) await looked;
      return method(...args);
    };
  });
}
