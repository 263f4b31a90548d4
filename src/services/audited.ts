import { hasCode, messageOf } from "../errors.ts";
import { actOf, type Act, type Audit } from "./audit.ts";
import type { Caller, Services } from "./services.ts";
import type { Sessions } from "./sessions.ts";

/** What writes its own entries, or has none. */
const untouched = new Set(["sessions.login", "sessions.refresh", "sessions.check", "refusals.report", "health.get"]);
/** Their entries are written in the transaction of the task, or of the clearing; only a refusal is not. */
const inTheStore = /^(?:background\.|lifecycle\.|openvz\.|log\.clear$)/;
/** Whatever is not called so is a change, and is written down. */
const reading = /^(?:list|get|check|find|read|stream|watch|wait|logs|inspect|refuse)/;

const alsoReading = new Set([
  "system.resource",
  "system.port",
  "system.bridges",
  "certificates.domainNames",
  "certificates.exportAuthority",
  "containerList.idOf",
  "events.recent",
  "log.export",
]);

type Method = (...args: unknown[]) => unknown;

/**
 * The services as they are called from outside: each change is written to the audit log before it is made, and each
 * refusal. Whoever adds a method gets that without doing anything.
 */
export function auditServices(services: Services, { sessions, audit }: { sessions: Sessions; audit: Audit }): Services {
  async function read(method: Method, args: unknown[], act: Act): Promise<unknown> {
    try {
      return await method(...args);
    } catch (error) {
      if (hasCode(error, "forbidden") || hasCode(error, "too_many")) audit.refused(act, messageOf(error));
      throw error;
    }
  }

  async function change(method: Method, args: unknown[], act: Act): Promise<unknown> {
    const settle = await audit.begin(act);
    try {
      const answer = await method(...args);
      settle();
      return answer;
    } catch (error) {
      settle(error);
      throw error;
    }
  }

  function wrap(name: string, method: Method): Method {
    const verb = name.split(".")[1] ?? "";
    const reads = reading.test(verb) || alsoReading.has(name) || inTheStore.test(name);
    const call = reads ? read : change;
    return async (...args) => {
      const user = sessions.peek(args[0] as Caller);
      // Who is nobody is refused by the service itself, and could only fill the log.
      const [caller, ...rest] = args;
      return user ? call(method, args, actOf(name, user, caller as Caller, targetOf(rest))) : method(...args);
    };
  }

  const groups = Object.entries(services).map(([group, methods]) => {
    const wrapped = Object.entries(methods as Record<string, Method>).map(([verb, method]) => {
      const name = `${group}.${verb}`;
      return [verb, untouched.has(name) ? method : wrap(name, method)];
    });
    return [group, Object.fromEntries(wrapped)];
  });
  return Object.fromEntries(groups) as Services;
}

/** By what the thing is called, of the arguments after the caller. Never a whole request: those have secrets. */
function targetOf(args: readonly unknown[]): string {
  const words = args.flatMap((arg) => {
    if (typeof arg === "string" || typeof arg === "number") return [String(arg)];
    if (typeof arg !== "object" || arg === null) return [];
    const { username, name, id } = arg as Record<string, unknown>;
    return [username ?? name ?? id].filter((word) => typeof word === "string" || typeof word === "number").map(String);
  });
  return words.join(" ");
}
