import type { CreateRequest } from "../../api/create.ts";
import type { Capabilities } from "../../engines/capabilities.ts";
import { invalid } from "../../errors.ts";

/** An ability of engines, with the fields of a request that need it. */
type Needs = readonly [ability: keyof Capabilities, fields: (request: CreateRequest) => Record<string, unknown>];

const needs: readonly Needs[] = [
  [
    "processOptions",
    ({ entrypoint, command, user, working_dir, environment }) => ({
      entrypoint,
      command,
      user,
      working_dir,
      environment,
    }),
  ],
  ["nameServers", ({ network }) => ({ "network.dns": network?.dns })],
  ["publishedPorts", ({ network }) => ({ "network.expose_port": network?.expose_port })],
  [
    "engineVolumes",
    ({ links, volume }) => ({ links, "volume.container": volume?.container, "volume.new": volume?.new }),
  ],
];

/** Throws `invalid` for the first field that this engine cannot do. Empty fields are allowed: the page sends them. */
export function refuseUnfit(request: CreateRequest, can: Capabilities): void {
  const { type, name, network } = request;
  if (network?.mode === "host" && !can.hostNetwork) throw invalid("network.mode", `cannot be host for type ${type}`);
  for (const [ability, fields] of needs) {
    if (can[ability]) continue;
    const asked = Object.entries(fields(request)).find(([, value]) => asksForSomething(value));
    if (asked) throw invalid(asked[0], `cannot be given for type ${type}`);
  }
  if (can.hostNames && !/^(?=.{1,63}$)[a-zA-Z]([a-zA-Z0-9-]*[a-zA-Z0-9])?$/.test(name)) {
    throw invalid("name", `must begin with a letter and have only letters, digits and - for type ${type}, at most 63`);
  }
}

function asksForSomething(value: unknown): boolean {
  if (value === undefined || value === false || value === "") return false;
  return typeof value !== "object" || value === null || Object.keys(value).length > 0;
}
