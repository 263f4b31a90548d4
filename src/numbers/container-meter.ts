import { readFileSync } from "node:fs";
import { createUsageReader, type Usage } from "./cgroup.ts";
import { findCgroupMounts, type CgroupMounts } from "./cgroup-mounts.ts";
import { sortByDefaultRoute, parseIpv4Addresses, parseIpv6Addresses, parseTraffic, type Traffic } from "./network.ts";
import { identify, networkNamespace, type ProcessIdentity } from "./process-identity.ts";
import { readKernelFile } from "./kernel-file.ts";

/** What the kernel has counted for a container up to one moment. */
export interface Reading extends Usage, Traffic {}

/** Reads the counters of one container from one start to its end. Every method throws if its first process has ended. */
export interface Meter {
  /** The container's first process. */
  readonly process: ProcessIdentity;
  /** Name of the network namespace, such as `net:[4026531840]`; undefined if it is the host's or cannot be read. */
  readonly network: string | undefined;
  /** Reads the counters of CPU time, memory and traffic. */
  read(): Reading;
  /** Lists the addresses, IPv4 before IPv6, the address of the default route first. */
  addresses(): string[];
}

export interface MeteredContainer {
  /** The container's id in its engine: Docker's 64 hex digits, otherwise the name. */
  id: string;
  /** Number of the container's first process on this host. */
  pid: number;
  /** True if the names of the container's control groups contain its id, as Docker's do. */
  idInGroup: boolean;
}

/**
 * Opens the meter of a container. Throws if the process has ended. Returns undefined if the process does not belong to the
 * container, which happens when the engine runs in another process namespace.
 */
export type OpenMeter = (container: MeteredContainer) => Meter | undefined;

const noUsage: Usage = { cpu: 0, memory: 0 };
const noTraffic: Traffic = { rx: 0, tx: 0 };

/** Returns a function that opens meters on this host's kernel. Control groups of version 1 and 2 are supported. */
export function createMeters(): OpenMeter {
  const host = networkNamespace("self");
  let mounts = readCgroupMounts();

  return function open({ id, pid, idInGroup }) {
    const process = identify(pid);
    // Set-up may mount the control groups after the station has started.
    if (!mounts.cpuacct && !mounts.unified) mounts = readCgroupMounts();
    const usage = createUsageReader(mounts, readKernelFile(`/proc/${pid}/cgroup`), { id, idInGroup });
    if (!usage && idInGroup) return undefined;
    const own = networkNamespace(pid);
    const network = own === host ? undefined : own;

    function assertSameProcess(): void {
      if (identify(pid).start !== process.start) throw new Error(`process ${pid} is another one now`);
    }

    return {
      process,
      network,
      read() {
        const reading = {
          ...(usage?.() ?? noUsage),
          ...(network !== undefined ? parseTraffic(readKernelFile(`/proc/${pid}/net/dev`)) : noTraffic),
        };
        assertSameProcess();
        return reading;
      },
      addresses() {
        if (network === undefined) return [];
        const file = (name: string): string => readKernelFile(`/proc/${pid}/net/${name}`);
        const ipv4 = sortByDefaultRoute(parseIpv4Addresses(file("fib_trie")), file("route"));
        // A kernel without IPv6 has no such file.
        const ipv6 = parseIpv6Addresses(readOptional(() => file("if_inet6")));
        assertSameProcess();
        return [...ipv4, ...ipv6];
      },
    };
  };
}

function readOptional(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}

function readCgroupMounts(): CgroupMounts {
  return findCgroupMounts(readFileSync("/proc/self/mountinfo", "utf8"));
}
