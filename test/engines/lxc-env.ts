import { mkdtempSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createLxcEngine } from "../../src/engines/lxc/lxc.ts";
import { createCatalogue } from "../../src/engines/system-images/catalogue.ts";
import type { SystemImages } from "../../src/engines/system-images/system-images.ts";
import { startLxc } from "../support/lxc.ts";
import { testStation } from "./container-spec.ts";
import type { EngineEnv } from "./engine-env.ts";
import { freePort } from "../support/free-port.ts";
import { startImageServer } from "./image-server.ts";

/** The LXC of this run of the tests, with a store of images of its own. */
export async function lxcEnv(): Promise<EngineEnv> {
  const { path } = await startLxc();
  const server = await startImageServer();
  const [good, broken, gone] = await Promise.all(
    [server.url, server.brokenUrl, `http://127.0.0.1:${await freePort()}`].map(catalogue),
  );
  const images: SystemImages = {
    ...(good as SystemImages),
    pull: (reference, options) => {
      const store = { "broken:latest": broken, "unreachable:latest": gone }[reference] ?? good;
      return (store as SystemImages).pull(reference, options);
    },
  };
  const engine = createLxcEngine({ path, images });
  return {
    engine,
    images: {
      base: "test-base:latest",
      other: "test-other:latest",
      slow: "test-slow:latest",
      missing: "test-none:latest",
      unreachable: "unreachable:latest",
      broken: "broken:latest",
      locked: "",
    },
    freePort,
    ownPulls: true,
    crash: async () => renameSync(path, `${path}.away`),
    restart: async () => renameSync(`${path}.away`, path),
    async close() {
      engine.close();
      await server.close();
    },
  };
}

function catalogue(server: string): Promise<SystemImages> {
  return createCatalogue({ folder: mkdtempSync(join(tmpdir(), "images-")), server, station: testStation });
}
