import { mapMethods } from "../contract/method-map.ts";
import type { Caller, Services } from "../contract/services.ts";
import type { Sessions } from "../accounts/sessions.ts";

/** Methods whose results do not depend on the engines. All others wait. */
const withoutEngines =
  /^(?:(?:sessions|users|tokens|secondStep|log|refusals|registries|certificates|health)\.|background\.(?:list|remove|refuse)$|events\.(?:stream|recent)$)/;

export interface FirstListOptions {
  /** Tells whether a caller has a session. */
  sessions: Pick<Sessions, "peek">;
  /** Resolves when every engine was listed once, or has had its time for that. */
  listed: Promise<void>;
}

/**
 * Returns the services with methods that wait until every engine was listed once, if they need an engine. The station
 * listens before that; without the wait it would say that an engine is away, or that a container is not there.
 */
export function waitForFirstLists(services: Services, { sessions, listed }: FirstListOptions): Services {
  let over = false;
  void listed.then(() => (over = true));
  return mapMethods(services, (name, method) => {
    if (withoutEngines.test(name)) return method;
    return async (...args) => {
      // A caller without a session is told so at once.
      if (!over && sessions.peek(args[0] as Caller)) await listed;
      return method(...args);
    };
  });
}
