import assert from "node:assert/strict";

import type { Container, Engine } from "../../src/engines/engine.ts";
import type { ContainerSpec } from "../../src/engines/container-spec.ts";
import { until } from "../support/patiently.ts";
import { run } from "./commands.ts";
import { containerSpec } from "./container-spec.ts";
import { running } from "./engine-checks.ts";

/** What the tests of one file that are the same for LXC and LXD have of either. */
export interface SystemBench {
  /** "LXC": what the names of the tests say. */
  name: string;
  /** Of `launch`. */
  image: string;
  /** The host's side of the network of mode nat, and how the addresses there begin. */
  bridge: string;
  network: string;
  engine(): Engine;
  /** Creates and starts it for real. */
  launch(changes?: Partial<ContainerSpec>): Promise<Container>;
  /** It ends behind the engine's back and is started again. */
  restarted(container: Container): Promise<Container>;
}

/** `kill` ends a container without the engine's driver. */
export function launcher(
  { image, engine }: Pick<SystemBench, "image" | "engine">,
  kill: (id: string) => Promise<unknown>,
): Pick<SystemBench, "launch" | "restarted"> {
  return {
    launch: async (changes = {}) =>
      running(engine(), await engine().containers.create(containerSpec({ image, ...changes }))),
    async restarted({ id, pid }) {
      await kill(id);
      await until(async () => (await engine().containers.getById(id))?.state === "stopped");
      const again = await running(engine(), id);
      assert.notEqual(again.pid, pid);
      return again;
    },
  };
}

/** A program of this host on the network of a container's process. */
export function onNetworkOf(pid: number, ...argv: string[]): Promise<string> {
  return run("nsenter", "-t", String(pid), "-n", "--", ...argv);
}

/** Of its card; empty while it has none. */
export async function addressOf(pid: number): Promise<string> {
  const text = await onNetworkOf(pid, "ip", "-4", "-o", "address", "show", "dev", "eth0");
  return /inet ([\d.]+)/.exec(text)?.[1] ?? "";
}
