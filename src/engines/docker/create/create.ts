import { AppError } from "../../../errors.ts";
import type { Containers } from "../../engine.ts";
import { readHostFacts } from "../../shared/host-devices.ts";
import type { DockerHttp } from "../client/http.ts";
import { createFailure, readId } from "../failures.ts";
import { createBody } from "./create-body.ts";

/** Returns the engine's `create`. `local`: Docker runs on this host, which network mode bridge needs. */
export function createCreate(http: DockerHttp, local: boolean): Containers["create"] {
  return async function create(spec, signal) {
    if (spec.network.mode === "bridge" && !local) {
      throw new AppError("unsupported", "Network mode bridge needs a Docker on this host.");
    }
    const facts = { ...(await readHostFacts(spec)), version: await http.version() };
    const body = createBody(spec, facts);
    try {
      const query = { name: spec.name };
      const made = await http.json<{ Id: string }>({ method: "POST", path: "/containers/create", query, body, signal });
      return readId(made, `made container ${spec.name}`);
    } catch (error) {
      throw createFailure(error, spec.name, spec.image);
    }
  };
}
