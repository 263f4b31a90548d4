import { createLxdEngine } from "../../src/engines/lxd/lxd.ts";
import { killLxd, runLxd, startLxd } from "../support/lxd.ts";
import type { EngineEnv } from "./engine-env.ts";
import { freePort } from "../support/free-port.ts";
import { startImageServer } from "./image-server.ts";

/** The LXD of this run of the tests. */
export async function lxdEnv(): Promise<EngineEnv> {
  const { socket } = await startLxd();
  const server = await startImageServer();
  const engine = createLxdEngine({
    socket,
    imageServer: server.url,
    imageServers: { broken: server.brokenUrl, gone: `http://127.0.0.1:${await freePort()}` },
  });
  return {
    engine,
    images: {
      base: "test/base",
      other: "test/other",
      slow: "test/slow",
      missing: "test/none",
      unreachable: "gone:test/base",
      broken: "broken:test/base",
      locked: "",
    },
    freePort,
    crash: killLxd,
    restart: runLxd,
    async close() {
      engine.close();
      await server.close();
    },
  };
}
