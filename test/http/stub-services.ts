import type { Task } from "../../src/api/task.ts";
import { AppError } from "../../src/errors.ts";
import type { Caller, Services, StreamItem } from "../../src/services/contract/services.ts";

/** What a service was called with: `background.add` and the arguments after the caller. */
export interface Call {
  method: string;
  caller: Caller;
  args: unknown[];
}

export interface Stub {
  services: Services;
  calls: Call[];
  /** What the HTTP layer reported for the audit log. */
  refused: object[];
  /** Replaces an answer: `answer("background.list", () => [])`. It may throw or answer a promise. */
  answer(method: string, respond: (...args: never[]) => unknown): void;
}

export const task: Task = {
  category: "create",
  deletable: false,
  detail_state: "",
  id: 5,
  init: 1628700573,
  name: "dtest",
  params: {},
  progress: -1,
  state: "waiting",
  user: "admin",
};

const container = { id: "web", image: "busybox:latest", name: "web", state: "stopped", tcpPort: [], type: "lxc" };
const session = { anonymous: false, isAdmin: true, logintime: "2021-08-11 16:54:45", username: "admin" };
const registries = { privateRegistry: 1, registries: [] };

const lifecycleVerbs = [
  "create",
  "start",
  "stop",
  "restart",
  "pause",
  "unpause",
  "rename",
  "setAutostart",
  "commit",
  "remove",
  "settings",
];

const openvzVerbs = ["create", "list", "get", "update", "remove", "start", "stop", "restart", "getJob", "listJobs"];

const answers: Record<string, (...args: never[]) => unknown> = {
  "sessions.login": () => ({ sid: "new-sid", session }),
  "sessions.refresh": () => session,
  "sessions.logout": () => ({ username: "admin" }),
  "background.add": (_caller: Caller, category: string, params: unknown) => ({ ...task, category, params }),
  "background.refuse": (_caller: Caller, category: string) => {
    throw new AppError("unsupported", `${category} is not part of this version.`);
  },
  "background.list": () => [task],
  "background.page": () => [task],
  "background.get": () => task,
  "background.remove": () => [1, 2],
  ...Object.fromEntries(lifecycleVerbs.map((verb) => [`lifecycle.${verb}`, () => container])),
  "inside.inspect": () => ({ Id: "a" }),
  "inside.logs": () => ({ logs: "a console", tail: 100, truncated: false }),
  "inside.exec": () => ({ exitCode: 0, stdout: "", stderr: "", truncated: false }),
  "registries.list": () => registries,
  "registries.save": () => registries,
  "registries.remove": () => registries,
  "system.port": () => ({ used: true }),
  "certificates.rotate": () => ({ result: true }),
  "containerList.list": () => [container],
  "containerList.get": () => container,
  "containerList.find": () => container,
  "containerList.idOf": () => "web",
  "events.stream": () => streamOf([]),
  "events.recent": () => ({ index: 0, messages: [], offset: 0 }),
  "events.wait": () => container,
  ...Object.fromEntries(openvzVerbs.map((verb) => [`openvz.${verb}`, () => ({ message: "success" })])),
  "health.get": () => ({ status: "ok", engines: [{ type: "docker", available: true }] }),
};

/** Services that write down their calls and answer something of the right shape. */
export function createStub(): Stub {
  const responders = new Map(Object.entries(answers));
  const calls: Call[] = [];
  const refused: object[] = [];
  const call = (method: string, args: unknown[]) => {
    const [caller, ...rest] = args;
    calls.push({ method, caller: caller as Caller, args: rest });
    return responders.get(method)!(...(args as never[]));
  };
  const methodsOf = (service: string, names: string[]) =>
    Object.fromEntries(names.map((name) => [name, async (...args: unknown[]) => call(`${service}.${name}`, args)]));
  const services = {
    // A look at the session is no use of the station, and is not written down.
    sessions: {
      ...methodsOf("sessions", ["login", "refresh", "logout", "list", "remove"]),
      check: async () => responders.get("sessions.check")?.(),
    },
    background: {
      ...methodsOf("background", ["add", "refuse", "remove", "get"]),
      list: async (...args: unknown[]) => inParts((await call("background.list", args)) as unknown[]),
      page: async (...args: unknown[]) => ({ tasks: await call("background.page", args), next: 5 }),
    },
    users: methodsOf("users", ["list", "create", "change", "remove", "changePassword"]),
    tokens: methodsOf("tokens", ["list", "create", "remove"]),
    secondStep: methodsOf("secondStep", ["get", "begin", "finish", "end"]),
    log: methodsOf("log", ["list", "export", "clear"]),
    refusals: { report: (_caller: Caller, refusal: object) => void refused.push(refusal) },
    lifecycle: methodsOf("lifecycle", lifecycleVerbs),
    inside: methodsOf("inside", ["inspect", "logs", "exec"]),
    system: methodsOf("system", ["get", "resource", "port", "bridges", "report"]),
    certificates: methodsOf("certificates", [
      "get",
      "setNotify",
      "domainNames",
      "setDomainNames",
      "exportClient",
      "exportAuthority",
      "rotate",
    ]),
    containerList: methodsOf("containerList", ["list", "get", "find", "idOf"]),
    registries: methodsOf("registries", ["list", "save", "remove"]),
    events: methodsOf("events", ["stream", "recent", "wait"]),
    openvz: methodsOf("openvz", openvzVerbs),
    health: { get: () => call("health.get", []) },
  } as unknown as Services;
  return { services, calls, refused, answer: (method, respond) => void responders.set(method, respond) };
}

/** A list as it comes from the store. */
async function* inParts(values: readonly unknown[], size = 100): AsyncGenerator<unknown[]> {
  for (let at = 0; at < values.length; at += size) yield values.slice(at, at + size);
}

export async function* streamOf(items: StreamItem[]): AsyncGenerator<StreamItem> {
  yield* items;
}
