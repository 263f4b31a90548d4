import { verbs, type Verb } from "../../api/verbs.ts";
import { AppError } from "../../errors.ts";
import { roles, type Role } from "../../storage/account-store.ts";
import type { ContainerPlan } from "../planning/container-plan.ts";

export interface User {
  /** Name of the user. */
  name: string;
  /** Role of the user, or of the token that came in the user's place. */
  role: Role;
  /** Id of the token that came in place of a session. */
  token?: number;
  /**
   * Role of a token's owner. A token may do only what both roles may: a viewer's token of an operator sees no more than the
   * operator.
   */
  ownerRole?: Role;
}

/** A thing that may belong to a user. */
export interface Target {
  /** Name of the user whose it is; undefined: only admins may use it. */
  owner: string | undefined;
  /** Its name in refusals, such as "task 7" or "docker container web". */
  name: string;
  /** True for a container whose root is root of the host, or can become it. */
  privileged?: boolean | undefined;
  /** Details of the refusal, which must be the same as for a thing that does not exist. */
  details?: Record<string, unknown>;
}

/** What will be asked of the engine, as far as a role may be refused it. */
export type EngineRequest = Partial<Pick<ContainerPlan, "privileged" | "devices" | "gpu" | "network">> & {
  /** True: the stored login of a registry is used. */
  login?: boolean;
  /**
   * Addresses that the container is to have. The host's own traffic to an address outside the bridge's network goes there.
   */
  addresses?: readonly string[] | undefined;
  /** Folders of read-only shares that the container could write to, as the request names them. */
  writesReadOnly?: readonly string[];
};

/** `all`, or `own`: only what belongs to the user. */
type Scope = "all" | "own";

/** Verbs of the caller's own account. Every role has them, but no token: it could make itself last for ever. */
const personal = [
  "session:list",
  "session:remove",
  "token:list",
  "token:create",
  "token:remove",
  "password:change",
  "second-step:get",
  "second-step:change",
] as const satisfies readonly Verb[];

/** Verbs that only look at a container, and not at the values of its environment. */
const looks = ["container:list", "container:get", "container:logs"] as const satisfies readonly Verb[];

/** Verbs of a user's own container: all but making an image of it, which every user could use. */
const ownContainer = [
  ...looks,
  "container:start",
  "container:stop",
  "container:restart",
  "container:pause",
  "container:unpause",
  "container:rename",
  "container:autostart",
  "container:change",
  "container:remove",
  "container:exec",
  "container:inspect",
  "container:settings",
] as const satisfies readonly Verb[];

/** Verbs that let a program run as root of the container, now or at the next boot. */
const runsPrograms: readonly Verb[] = [
  "container:start",
  "container:restart",
  "container:unpause",
  "container:autostart",
  "container:change",
  "container:exec",
];

const everyone = scopes(["session:refresh", "session:end", ...personal], "own");

/** What each role may do, and on what. All else is refused. */
const allowed: Readonly<Record<Role, Readonly<Partial<Record<Verb, Scope>>>>> = {
  admin: scopes(verbs, "all"),
  operator: {
    ...everyone,
    ...scopes(["task:list", "task:remove", "event:read", "container:create", ...ownContainer], "own"),
    ...scopes(["image:download", "registry:list", "system:read"], "all"),
  },
  viewer: {
    ...everyone,
    ...scopes([...looks, "task:list", "registry:list", "event:read", "log:read", "system:read"], "all"),
  },
};

/**
 * Decides whether a user may do something; it is the only place that does. It is called when a request comes, and for a
 * task again when it runs. `targets` are the things that it touches, `request` is what would go to the engine. Throws
 * `forbidden`, and `not_found` for what belongs to another user.
 */
export function authorize(user: User, verb: Verb, targets: readonly Target[] = [], request: EngineRequest = {}): void {
  const scope = scopeOf(user, verb);
  if (!scope)
    throw new AppError("forbidden", `${user.name} (${user.role}) may not do this: ${verb.replace(":", " ")}.`);
  if (user.token !== undefined && (personal as readonly Verb[]).includes(verb))
    throw new AppError("forbidden", `A token may not do this, only a session: ${verb.replace(":", " ")}.`);
  const foreign = scope === "own" ? targets.find(({ owner }) => owner !== user.name) : undefined;
  if (foreign)
    throw new AppError(
      "not_found",
      `There is no ${foreign.name}.`,
      foreign.details ? { details: foreign.details } : {},
    );
  const privileged = user.role !== "admin" && targets.find((target) => target.privileged);
  if (privileged && (runsPrograms.includes(verb) || verb === "container:create"))
    throw new AppError("forbidden", `The ${privileged.name} is privileged: only an admin may run programs in it.`, {
      details: { field: "privileged" },
    });
  const [folder] = request.writesReadOnly ?? [];
  if (folder !== undefined)
    throw new AppError("forbidden", `${folder} is in a read-only share: mount it with ro true.`, {
      details: { field: `volume.host["${folder}"].ro` },
    });
  const field = user.role === "admin" ? undefined : forbiddenField(request);
  if (field)
    throw new AppError("forbidden", `${user.name} (${user.role}) may not set ${field}.`, { details: { field } });
}

/** Tells whether a user may do this to at least the user's own things. */
export function may(user: User, verb: Verb): boolean {
  return scopeOf(user, verb) !== undefined;
}

/** Returns the name of the user whose things a list shows; `undefined` = those of all users. Throws as `authorize`. */
export function onlyOf(user: User, verb: Verb): string | undefined {
  authorize(user, verb);
  return scopeOf(user, verb) === "all" ? undefined : user.name;
}

/** Returns the weaker of two roles. */
export function weaker(a: Role, b: Role): Role {
  return roles.indexOf(a) > roles.indexOf(b) ? a : b;
}

function scopeOf({ role, ownerRole = role }: User, verb: Verb): Scope | undefined {
  const both = [scopeOfRole(role, verb), scopeOfRole(ownerRole, verb)];
  if (both.includes(undefined)) return undefined;
  return both.includes("own") ? "own" : "all";
}

function scopeOfRole(role: Role, verb: Verb): Scope | undefined {
  const row = Object.hasOwn(allowed, role) ? allowed[role] : undefined;
  return row && Object.hasOwn(row, verb) ? row[verb] : undefined;
}

/** Returns the first field of a request that reaches beyond the user's own container. */
function forbiddenField({ privileged, devices, gpu, network, login, addresses }: EngineRequest): string | undefined {
  if (privileged) return "privileged";
  if (devices && devices.length > 0) return "resource.device";
  if (gpu) return "gpu";
  if (network && network.mode !== "nat") return "network.mode";
  if (addresses) return "ipadd";
  return login ? "registry_name" : undefined;
}

function scopes<V extends Verb>(list: readonly V[], scope: Scope): Record<V, Scope> {
  return Object.fromEntries(list.map((verb) => [verb, scope])) as Record<V, Scope>;
}
