import { after, before } from "node:test";

import type { Engine } from "../../src/engines/engine.ts";
import { createLxdHttp, type LxdHttp } from "../../src/engines/lxd/client/http.ts";
import { createLxdEngine } from "../../src/engines/lxd/lxd.ts";
import { startLxd } from "../support/lxd.ts";
import { removeOwn } from "./engine-checks.ts";
import { type ImageServer, startImageServer } from "./image-server.ts";
import { launcher, type SystemBench } from "./system-bench.ts";

export const image = "test/base";

export interface LxdBench extends SystemBench {
  /** For what the driver does not tell. */
  http(): LxdHttp;
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

  const base = { name: "LXD", image, bridge: "lxdbr0", network: "10.99.0", engine: () => engine };
  const stop = { action: "stop", force: true };
  const launching = launcher(base, (id) =>
    http.send({ method: "PUT", path: `/1.0/instances/${id}/state`, body: stop }),
  );
  return { ...base, ...launching, http: () => http };
}
