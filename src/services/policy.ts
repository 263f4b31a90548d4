import { AppError } from "../errors.ts";
import type { Role } from "../storage/account-store.ts";

export interface User {
  name: string;
  role: Role;
}

/** Everything that can be asked of the station, as noun:verb. */
export const verbs = [
  "session:refresh",
  "session:end",
  "task:list",
  "task:remove",
  "container:create",
  "container:start",
  "container:stop",
  "container:restart",
  "container:pause",
  "container:unpause",
  "container:rename",
  "container:autostart",
  "container:commit",
  "container:remove",
  "container:exec",
  "container:inspect",
  "container:logs",
  "container:settings",
  "container:list",
  "container:get",
  "image:download",
  "image:remove",
  "registry:list",
  "registry:save",
  "registry:remove",
  "event:read",
  "system:read",
  "system:report",
  "certificate:read",
  "certificate:change",
  "certificate:export",
] as const;
export type Verb = (typeof verbs)[number];

/** What each role may do. Whatever is not said here is refused. */
const allowed: Readonly<Record<Role, ReadonlySet<Verb>>> = {
  admin: new Set(verbs),
  operator: new Set<Verb>(["session:refresh", "session:end", "system:read"]),
  viewer: new Set<Verb>(["session:refresh", "session:end", "system:read"]),
};

/** The one place where "may he?" is decided: for a request when it comes, and for a task again when it runs. */
export function authorize(user: User, verb: Verb): void {
  if (Object.hasOwn(allowed, user.role) && allowed[user.role].has(verb)) return;
  throw new AppError("forbidden", `${user.name} (${user.role}) may not do this: ${verb.replace(":", " ")}.`);
}
