import { after, before } from "node:test";

import { createDockerEngine } from "../../src/engines/docker/docker.ts";
import { createDockerHttp, type DockerHttp } from "../../src/engines/docker/client/http.ts";
import type { Container, Engine } from "../../src/engines/engine.ts";
import type { ContainerSpec } from "../../src/engines/container-spec.ts";
import { testEngines } from "../support/engines.ts";
import { containerSpec } from "./container-spec.ts";
import { removeOwn, running } from "./engine-checks.ts";

export const image = "busybox:latest";

export interface DockerBench {
  engine: Engine;
  /** For what the driver does not tell. */
  http: DockerHttp;
  /** Creates and starts it for real. */
  launch(changes: Partial<ContainerSpec>): Promise<Container>;
}

/** For the tests of one file: the image is there before, what they made is gone after. */
export function dockerBench(): DockerBench {
  const { docker } = testEngines();
  const engine = createDockerEngine({ address: docker });
  const http = createDockerHttp(docker);
  before(() => engine.images.pull(image, { signal: new AbortController().signal }));
  after(async () => {
    await removeOwn(engine);
    engine.close();
    http.close();
  });

  async function launch(changes: Partial<ContainerSpec>): Promise<Container> {
    return running(engine, await engine.containers.create(containerSpec({ image, ...changes })));
  }

  return { engine, http, launch };
}
