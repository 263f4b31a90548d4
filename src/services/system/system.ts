import type { BridgeList, SystemInfo, SystemResource } from "../../api/system.ts";
import type { Gpu } from "../../host/gpu.ts";
import type { Host } from "../../host/host.ts";
import type { HostInterface } from "../../host/interfaces.ts";
import type { Memory } from "../../host/memory.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import { authorize } from "../access/policy.ts";
import type { Report } from "./report.ts";
import type { SystemService } from "../contract/services.ts";
import type { Sessions } from "../accounts/sessions.ts";
import { createLastKnown } from "../../util/last-known.ts";
import { readHostFacts, systemInfo, type StationBuild } from "./system-info.ts";
import type { Availability } from "../containers/availability.ts";

export interface SystemDeps {
  /** Tells who calls. */
  sessions: Sessions;
  /** Facts about this host. */
  host: Host;
  /** The engines and what is known of their containers. */
  inventory: Inventory;
  /** Tells whether a name or a port is free. */
  availability: Availability;
  /** What this program is. */
  build: StationBuild;
  /** Makes the report. */
  report: Report;
}

/** Makes the service of information about the host and the station. */
export function createSystemService({
  sessions,
  host,
  inventory,
  availability,
  build,
  report,
}: SystemDeps): SystemService {
  const firstGpus: Promise<readonly Gpu[]> = host.gpus().catch(() => []);
  const facts = createLastKnown(() => readHostFacts(host));
  const interfaces = createLastKnown(host.interfaces);
  async function info(): Promise<SystemInfo> {
    const architecture = host.architecture();
    return systemInfo({ facts: await facts(), architecture, inventory, build, firstGpus: await firstGpus });
  }
  return {
    async get(caller) {
      authorize(sessions.authenticate(caller), "system:read");
      return info();
    },
    async resource(caller) {
      authorize(sessions.authenticate(caller), "system:read");
      const [usage, memory] = await Promise.all([host.cpuUsage(), host.memory()]);
      return { cpu_usage: usage.toFixed(1), memory_usage: shownMemory(memory) };
    },
    async port(caller, protocol, port) {
      authorize(sessions.authenticate(caller), "system:read");
      const used = (await host.portHasSocket(protocol, port)) || (await availability.holdsPort({ protocol, port }));
      return { used };
    },
    async bridges(caller) {
      authorize(sessions.authenticate(caller), "system:read");
      return bridgesAnswer(await interfaces());
    },
    async report(caller) {
      authorize(sessions.authenticate(caller), "system:report");
      return report.make(await info());
    },
  };
}

/** MB and percents, both cut off and not rounded. */
function shownMemory({ total, buffers, cached, used }: Memory): SystemResource["memory_usage"] {
  const megabytes = (kilobytes: number): number => Math.trunc(kilobytes / 1024);
  const percent = (part: number): number => Math.trunc((100 * part) / Math.max(total, 1));
  return {
    buffers: megabytes(buffers),
    cached: megabytes(cached),
    percent: percent(used),
    percent_buffers: percent(buffers),
    percent_cached: percent(cached),
    total: megabytes(total),
    used: megabytes(used),
  };
}

function bridgesAnswer(interfaces: readonly HostInterface[]): BridgeList {
  let adapters = 0;
  let bridges = 0;
  const data = interfaces.map((item) => {
    const bridge = item.bridge ?? (item.isBridge ? item.name : undefined);
    const display = item.isBridge ? `Bridge ${++bridges}` : `Adapter ${++adapters}`;
    const { address: ip, gateway, name, netmask, isEngineBridge: disabled } = item;
    const join = bridge !== undefined;
    const names = { interface: bridge ?? name, vswitchName: bridge ?? "" };
    return { bridge: item.bridge ?? null, display, gateway, ip, name, netmask, ...names, disabled, join };
  });
  // The interface of the default route is the first.
  return { data, default: 0 };
}
