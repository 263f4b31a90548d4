import { createDockerEngine } from "../../src/engines/docker/docker.ts";
import { freePort } from "../support/free-port.ts";
import { killDockerd, startDockerd } from "../support/dockerd.ts";
import { testEngines } from "../support/engines.ts";
import { busyboxLayer } from "../support/images.ts";
import { pushImage } from "../support/registry.ts";
import type { EngineEnv } from "./engine-env.ts";
import { startSlowRegistry } from "./slow-registry.ts";

/** The dockerd of this run of the tests. */
export async function dockerEnv(): Promise<EngineEnv> {
  const { docker, registry, registryAuth, registryLogin } = testEngines();
  const slow = await startSlowRegistry();
  const config = { Cmd: ["sh"], Labels: { contract: "other" } };
  await pushImage({ layers: [busyboxLayer()], config }, { registry, reference: "contract/other:1" });
  const engine = createDockerEngine({ address: docker });
  return {
    engine,
    images: {
      base: `${registry}/busybox:latest`,
      other: `${registry}/contract/other:1`,
      slow: `${slow.host}/slow:1`,
      missing: `${registry}/contract/none:1`,
      unreachable: `127.0.0.1:${await freePort()}/x:1`,
      broken: `${slow.host}/broken:1`,
      locked: `${registryAuth}/private/app:1`,
    },
    login: { ...registryLogin, serverAddress: registryAuth },
    freePort,
    crash: killDockerd,
    restart: startDockerd,
    async close() {
      engine.close();
      await slow.close();
    },
  };
}
