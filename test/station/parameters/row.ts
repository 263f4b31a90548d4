import type { Task } from "../../../src/api/task.ts";

/** What Docker alone knows. */
export interface Inspect {
  State: { Pid: number; Running: boolean };
  Config: {
    Image: string;
    Entrypoint: string[] | null;
    Cmd: string[] | null;
    ExposedPorts: object;
    Labels: Record<string, string>;
  };
  HostConfig: { RestartPolicy: { Name: string }; Privileged: boolean; DeviceRequests: unknown; Devices: unknown[] };
}

export interface Made {
  pid: number;
  inspect: Inspect;
  task: Task;
}

export interface Row {
  name: string;
  covers: readonly string[];
  body: Record<string, unknown>;
  check: (made: Made) => void | Promise<void>;
}

/** The plainest create. */
export const nothing = { type: "docker", repository: "dockerhub", image: "busybox", tag: "latest" };
