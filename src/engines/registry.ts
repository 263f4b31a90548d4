import { stat } from "node:fs/promises";

import { createDockerEngine } from "./docker/docker.ts";
import type { Engine, EngineType } from "./engine.ts";

export interface FindEnginesOptions {
  /** Absent: all that are found. */
  engines: readonly EngineType[] | undefined;
  /** Docker's address, from the configuration. Absent: probed. */
  docker?: string | undefined;
  /** DOCKER_HOST. */
  dockerHost?: string | undefined;
}

/** Answers an address, or `undefined`: nothing there. */
type Probe = (options: FindEnginesOptions) => Promise<string | undefined>;

const defaultSocket = "/var/run/docker.sock";

/** In order; the first that answers is taken. */
const dockerProbes: readonly Probe[] = [
  async ({ docker }) => docker,
  async ({ dockerHost }) => dockerHost || undefined,
  () => socketAt(defaultSocket),
  () => socketAt("/run/podman/podman.sock"),
];

/** The engines of this host. One that does not answer yet is there all the same, and serves when it comes up. */
export async function findEngines(options: FindEnginesOptions): Promise<Engine[]> {
  const address = await dockerAddress(options);
  return address === undefined ? [] : [createDockerEngine({ address })];
}

/** unix:///path or tcp://host:port; absent: no Docker is wanted. */
export async function dockerAddress(options: FindEnginesOptions): Promise<string | undefined> {
  if (options.engines && !options.engines.includes("docker")) return undefined;
  for (const probe of dockerProbes) {
    const address = await probe(options);
    if (address !== undefined) return address;
  }
  return `unix://${defaultSocket}`;
}

async function socketAt(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isSocket() ? `unix://${path}` : undefined;
}
