import { after, before } from "node:test";

import type { Engine } from "../../src/engines/engine.ts";
import { createLxcEngine } from "../../src/engines/lxc/lxc.ts";
import { startLxc, type TestLxc } from "../support/lxc.ts";
import { debianImages } from "../support/system-images.ts";
import { run } from "./commands.ts";
import { removeOwn } from "./engine-checks.ts";

export interface DebianBench {
  engine(): Engine;
  lxc(): TestLxc;
  /** Runs a program in a container by LXC's own tool. */
  inside(name: string, ...argv: string[]): Promise<string>;
}

/** For the tests of one file: LXC has the Debian that is built on this host. */
export function debianBench(): DebianBench {
  let engine: Engine;
  let lxc: TestLxc;
  before(async () => {
    lxc = await startLxc();
    engine = createLxcEngine({ path: lxc.path, images: await debianImages() });
  });
  after(() => removeOwn(engine));
  return {
    engine: () => engine,
    lxc: () => lxc,
    inside: (name, ...argv) => run("lxc-attach", "-P", lxc.path, "-n", name, "--clear-env", "--", ...argv),
  };
}
