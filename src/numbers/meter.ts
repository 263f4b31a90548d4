import { readFileSync } from "node:fs";
import { usageReader, type Usage } from "./cgroup.ts";
import { findCgroupMounts, type CgroupMounts } from "./cgroup-mounts.ts";
import { mainFirst, parseAddresses, parseAddresses6, parseTraffic, type Traffic } from "./network.ts";
import { incarnationOf, networkOf, type Incarnation } from "./process.ts";
import { readKernelFile } from "./read-file.ts";

/** What the kernel knows of a container at one moment. */
export interface Reading extends Usage, Traffic {}

/** Reads one life of one container. Every method throws when that life is over. */
export interface Meter {
  readonly incarnation: Incarnation;
  /** The network namespace; undefined when it is the host's, or not to be known. */
  readonly network: string | undefined;
  read(): Reading;
  /** IPv4 before IPv6, that of the default route first. */
  addresses(): string[];
}

export interface Metered {
  /** As the engine knows the container. */
  id: string;
  /** The first process. */
  pid: number;
  /** Its groups bear the id. */
  named: boolean;
}

/** Throws when the process is gone. Answers undefined for a process that is not the container's. */
export type OpenMeter = (container: Metered) => Meter | undefined;

const nothing: Usage = { cpu: 0, memory: 0 };
const silence: Traffic = { rx: 0, tx: 0 };

/** Meters of this host's kernel; its control groups may be of version 1 or 2. */
export function createMeters(): OpenMeter {
  const host = networkOf("self");
  let mounts = mountsOfHost();

  return function open({ id, pid, named }) {
    const incarnation = incarnationOf(pid);
    // Set-up may mount them when the station runs already.
    if (!mounts.cpuacct && !mounts.unified) mounts = mountsOfHost();
    const usage = usageReader(mounts, readKernelFile(`/proc/${pid}/cgroup`), { id, named });
    if (!usage && named) return undefined;
    const own = networkOf(pid);
    const network = own === host ? undefined : own;

    function same(): void {
      if (incarnationOf(pid).start !== incarnation.start) throw new Error(`process ${pid} is another one now`);
    }

    return {
      incarnation,
      network,
      read() {
        const reading = {
          ...(usage?.() ?? nothing),
          ...(network !== undefined ? parseTraffic(readKernelFile(`/proc/${pid}/net/dev`)) : silence),
        };
        same();
        return reading;
      },
      addresses() {
        if (network === undefined) return [];
        const file = (name: string): string => readKernelFile(`/proc/${pid}/net/${name}`);
        const addresses = mainFirst(parseAddresses(file("fib_trie")), file("route"));
        // A kernel without IPv6 has no such file.
        const addresses6 = parseAddresses6(optional(() => file("if_inet6")));
        same();
        return [...addresses, ...addresses6];
      },
    };
  };
}

function optional(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}

function mountsOfHost(): CgroupMounts {
  return findCgroupMounts(readFileSync("/proc/self/mountinfo", "utf8"));
}
