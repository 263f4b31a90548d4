import { createComposeVersion } from "./compose.ts";
import { createCpuMeter, architecture, readCpu, type Cpu } from "./cpu.ts";
import { readGpus, type Gpu } from "./gpu.ts";
import { readInterfaces, type HostInterface } from "./interfaces.ts";
import { readMemory, readPageSize, type Memory } from "./memory.ts";
import { readOs, type OperatingSystem } from "./os.ts";
import { portHasSocket } from "./ports.ts";

/** Facts about this host, read from its kernel at each call. What this kernel does not tell comes out as 0, "" or []. */
export interface Host {
  /** Reads the processors that are online, from `/proc/cpuinfo` and sysfs. */
  cpu(): Promise<Cpu>;
  /** Returns the architecture by its name in Docker, such as `amd64`, or "" if Docker has no name for it. */
  architecture(): string;
  /** Returns how busy all processors have been in the last second or so, in percent (0 to 100). */
  cpuUsage(): Promise<number>;
  /** Reads `/proc/meminfo`. */
  memory(): Promise<Memory>;
  /** Returns the kernel's page size in bytes. */
  pageSize(): Promise<number>;
  /** Reads the distribution, the kernel's release and what they say of this host's condition. */
  os(): Promise<OperatingSystem>;
  /** Lists the display controllers on the PCI bus. */
  gpus(): Promise<Gpu[]>;
  /** Lists the network adapters and bridges; the one of the default route comes first. */
  interfaces(): Promise<HostInterface[]>;
  /** Tells whether a socket of this host uses the port, on any address. Connections in TIME_WAIT do not count. */
  portHasSocket(protocol: "tcp" | "udp", port: number): Promise<boolean>;
  /** Returns the version of Docker Compose, or "" if it is not installed. Looked up at most once a minute. */
  composeVersion(): Promise<string>;
}

/** Makes the reader of this host's facts. */
export function createHost(): Host {
  return {
    cpu: readCpu,
    architecture: architecture,
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
