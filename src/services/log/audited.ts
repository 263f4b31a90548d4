import type { Route } from "../../api/route.ts";
import { methodOfRoute, routeTable, type RouteMethod } from "../../api/routes.ts";
import { AppError, hasCode, messageOf } from "../../errors.ts";
import { actOf, type Act, type Audit } from "../audit/audit.ts";
import { documentedMessage } from "../audit/audit-message.ts";
import { mapMethods, type Method, type MethodName } from "../contract/method-map.ts";
import type { Caller, Services } from "../contract/services.ts";
import type { Sessions } from "../accounts/sessions.ts";
import { withoutHiddenWords } from "../secrets/error-masking.ts";

/**
 * How calls of a method are audited. `change`: the entry is written before the call, and its result after it. `read`:
 * only a refusal is written. `untouched`: the method writes its entries itself, or has none.
 */
type Treatment = "change" | "read" | "untouched";

/** Services that write the entries of their changes in the transaction of the change. A refusal is not among them. */
const inTheStore = /^(?:background\.|lifecycle\.|openvz\.|log\.clear$)/;

/** Methods that no route is named after. */
const withoutRoute: Readonly<Record<Exclude<MethodName, RouteMethod>, Treatment>> = {
  "background.page": "read",
  "refusals.report": "untouched",
};

const treatments: ReadonlyMap<string, Treatment> = new Map([
  ...Object.entries(routeTable).map(([name, route]) => [methodOfRoute(name), treatmentOf(name, route)] as const),
  ...Object.entries(withoutRoute),
]);

function treatmentOf(name: string, { verb, audited }: Route): Treatment {
  if (verb === "open" || verb === "session") return "untouched";
  return audited && !inTheStore.test(name) ? "change" : "read";
}

/** Methods that end an access. On a full disk they are carried out although they cannot be written down. */
const endings = new Set(["sessions.logout", "sessions.remove", "tokens.remove"]);

/**
 * Returns the services as they are called from outside: each change is written to the audit log before it is made, and
 * each refusal. Which calls are changes is in the table of routes.
 */
export function auditServices(services: Services, { sessions, audit }: { sessions: Sessions; audit: Audit }): Services {
  /**
   * Returns who does what by a call. `undefined`: the caller is not logged in. The service refuses him, and entries
   * about him could flood the log.
   */
  function actOfCall(name: string, [caller, ...rest]: unknown[]): Act | undefined {
    const user = sessions.peek(caller as Caller);
    return (
      user && { ...actOf(name, user, caller as Caller, targetOf(rest)), message: documentedMessage(name, rest[0]) }
    );
  }

  /** Calls a method that reads. Such calls come by the thousand, so only a refusal is looked at and written. */
  async function read(name: string, method: Method, args: unknown[]): Promise<unknown> {
    try {
      return await method(...args);
    } catch (error) {
      const act = hasCode(error, "forbidden") || hasCode(error, "too_many") ? actOfCall(name, args) : undefined;
      if (act) audit.refused(act, messageOf(forTheLog(error, args)));
      throw error;
    }
  }

  /** Calls a method that changes something. The entry is written before the call, and its result after it. */
  async function change(name: string, method: Method, args: unknown[]): Promise<unknown> {
    const act = actOfCall(name, args);
    if (!act) return method(...args);
    const settle = await audit.begin(act).catch((error: unknown) => {
      if (endings.has(name) && hasCode(error, "disk_full")) return () => undefined;
      throw error;
    });
    try {
      const answer = await method(...args);
      settle();
      return answer;
    } catch (error) {
      settle(forTheLog(error, args));
      throw error;
    }
  }

  function wrap(name: string, method: Method): Method {
    // A method that no table knows must not be missing in the log.
    const treatment = treatments.get(name) ?? "change";
    if (treatment === "untouched") return method;
    const call = treatment === "read" ? read : change;
    return (...args) => call(name, method, args);
  }

  return mapMethods(services, wrap);
}

/**
 * Returns an error without what it repeats of the request: viewers read the log, and must not see commands and
 * environments there.
 */
function forTheLog(error: unknown, args: readonly unknown[]): unknown {
  const message = messageOf(error);
  const told = withoutHiddenWords(message, args, { inspects: false });
  if (told === message) return error;
  return error instanceof AppError ? new AppError(error.code, told) : new Error(told);
}

/** Returns what a call is about, by the names and ids in its arguments. A whole request may contain secrets. */
function targetOf(args: readonly unknown[]): string {
  const words = args.flatMap((arg) => {
    if (typeof arg === "string" || typeof arg === "number") return [String(arg)];
    if (typeof arg !== "object" || arg === null) return [];
    const { username, name, id } = arg as Record<string, unknown>;
    return [username ?? name ?? id].filter((word) => typeof word === "string" || typeof word === "number").map(String);
  });
  return words.join(" ");
}
