import { createComposeVersion } from "./compose.ts";
import { createCpuMeter, machineName, readCpu, type Cpu } from "./cpu.ts";
import { readGpus, type Gpu } from "./gpu.ts";
import { readInterfaces, type HostInterface } from "./interfaces.ts";
import { readMemory, readPageSize, type Memory } from "./memory.ts";
import { readOs, type OperatingSystem } from "./os.ts";
import { portHasSocket } from "./ports.ts";

/** This host as its kernel shows it, read anew at each call. */
export interface Host {
  cpu(): Promise<Cpu>;
  /** As amd64; "" if unknown. */
  machine(): string;
  /** 0 to 100, between two samples a quarter of a second apart. */
  cpuUsage(): Promise<number>;
  memory(): Promise<Memory>;
  /** Bytes. */
  pageSize(): Promise<number>;
  os(): Promise<OperatingSystem>;
  gpus(): Promise<Gpu[]>;
  interfaces(): Promise<HostInterface[]>;
  portHasSocket(protocol: "tcp" | "udp", port: number): Promise<boolean>;
  /** "" without Docker Compose. */
  composeVersion(): Promise<string>;
}

export function createHost(): Host {
  return {
    cpu: readCpu,
    machine: machineName,
    cpuUsage: createCpuMeter(),
    memory: readMemory,
    pageSize: readPageSize,
    os: readOs,
    gpus: () => readGpus(),
    interfaces: readInterfaces,
    portHasSocket,
    composeVersion: createComposeVersion(),
  };
}
