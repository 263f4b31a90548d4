import assert from "node:assert/strict";
import { after, before } from "node:test";

import type { Container, ContainerSpec, Engine } from "../../src/engines/engine.ts";
import { createLxdHttp, type LxdHttp } from "../../src/engines/lxd/http.ts";
import { createLxdEngine } from "../../src/engines/lxd/lxd.ts";
import { startLxd } from "../support/lxd.ts";
import { containerSpec } from "./container-spec.ts";
import { removeOwn } from "./engine-checks.ts";
import { type ImageServer, startImageServer } from "./image-server.ts";

export const image = "test/base";

export interface LxdBench {
  engine(): Engine;
  /** For what the driver does not tell. */
  http(): LxdHttp;
  /** Creates and starts it for real. */
  launch(changes?: Partial<ContainerSpec>): Promise<Container>;
  /** It ends and is started again. */
  restarted(container: Container): Promise<Container>;
}

/** For the tests of one file: LXD runs and has its image before, what they made is gone after. */
export function lxdBench(): LxdBench {
  let engine: Engine;
  let http: LxdHttp;
  let server: ImageServer;
  before(async () => {
    const { socket } = await startLxd();
    server = await startImageServer();
    http = createLxdHttp(socket);
    engine = createLxdEngine({ socket, imageServer: server.url });
    await engine.images.pull(image, { signal: new AbortController().signal });
  });
  after(async () => {
    await removeOwn(engine);
    engine.close();
    http.close();
    await server.close();
  });

  async function launch(changes: Partial<ContainerSpec> = {}): Promise<Container> {
    return started(await engine.containers.create(containerSpec({ image, ...changes })));
  }

  async function started(id: string): Promise<Container> {
    await engine.containers.start(id);
    const container = await engine.containers.get(id);
    assert.ok(container && container.pid > 0);
    return container;
  }

  async function restarted({ id, pid }: Container): Promise<Container> {
    await http.send({ method: "PUT", path: `/1.0/instances/${id}/state`, body: { action: "stop", force: true } });
    for (let up = true; up;) up = (await engine.containers.get(id))?.state === "running";
    const again = await started(id);
    assert.notEqual(again.pid, pid);
    return again;
  }

  return { engine: () => engine, http: () => http, launch, restarted };
}
