import type { ContainerSpec } from "../../src/engines/container-spec.ts";

/** The station that the tests of the engines play. */
export const testStation = "0e57a710-0000-4000-8000-00000000c0de";
let serial = 0;

export function uniqueName(prefix = "gt"): string {
  return `${prefix}-${process.pid}-${++serial}`;
}

/** All that is not said is as plain as it can be. */
export function containerSpec(changes: Partial<ContainerSpec> & { image: string }): ContainerSpec {
  return {
    name: uniqueName(),
    mark: { station: testStation, task: ++serial },
    autostart: false,
    privileged: false,
    environment: [],
    dns: [],
    ports: [],
    exposedPorts: [],
    links: [],
    network: { mode: "nat" },
    limits: {},
    devices: [],
    gpu: false,
    mounts: [],
    volumesFrom: [],
    newVolumes: [],
    ...changes,
  };
}
