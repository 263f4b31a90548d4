import type { ResourceAnswer } from "../api/lifecycle.ts";
import { deviceNames, findDevice } from "../engines/device-table.ts";
import type { Container, ContainerSettings, DeviceRule, EngineType, Limits, Mount } from "../engines/engine.ts";
import { parseImageName, versionOf } from "../engines/image-name.ts";
import type { Shares } from "./shares.ts";

const megabyte = 1 << 20;

/** What a container was given, in the words in which it is asked for. */
export async function shownResource(
  type: EngineType,
  container: Container,
  settings: ContainerSettings,
  shares: Shares,
): Promise<ResourceAnswer> {
  const named = parseImageName(type, container.image, container.imageId);
  return {
    arch: settings.architecture,
    autostart: settings.autostart,
    image: named.image,
    name: container.name,
    network: {
      hostname: settings.hostname,
      // As documented: a container of LXC that was given no other network shows none.
      mode: type === "lxc" && settings.mode === "nat" ? "" : settings.mode,
      port: container.ports.map(({ host, container, protocol }) => [host, container, protocol]),
    },
    resource: { device: shownDevices(settings.devices), limit: shownLimits(settings.limits) },
    type,
    version: versionOf(named),
    volume: { container: [...settings.volumesFrom], host: await shownMounts(settings.mounts, shares) },
  };
}

/** A name of the table is several majors, and an engine may keep each as a rule of its own. */
function shownDevices(rules: readonly DeviceRule[]): string[][] {
  const access = new Map<string, string>();
  for (const rule of rules) for (const { kind, major } of rule.majors) access.set(`${kind}${major}`, rule.access);
  return deviceNames.flatMap((name) => {
    const found = findDevice(name)?.map(({ kind, major }) => access.get(`${kind}${major}`));
    const first = found?.[0];
    return first !== undefined && found?.every((one) => one === first) ? [["allow", name, first]] : [];
  });
}

function shownLimits({ cpuTime, cpuWeight, memory }: Limits): ResourceAnswer["resource"]["limit"] {
  return {
    ...(cpuTime !== undefined && { cputime: cpuTime }),
    ...(cpuWeight !== undefined && { cpuweight: cpuWeight }),
    ...(memory !== undefined && { memory: `${Math.round(memory / megabyte)}m` }),
  };
}

/** Folders of shares by the share's name; others, which the station did not give, by their path. */
async function shownMounts(mounts: readonly Mount[], shares: Shares): Promise<ResourceAnswer["volume"]["host"]> {
  const shown: ResourceAnswer["volume"]["host"] = {};
  for (const { source, target, readOnly } of mounts) {
    const place = await shares.locate(source);
    shown[place ? `/share/${[place.share, ...place.components].join("/")}` : source] = { bind: target, ro: readOnly };
  }
  return shown;
}
