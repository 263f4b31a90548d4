import type { ResourceAnswer } from "../../api/lifecycle.ts";
import { deviceNames, findDevice } from "../../engines/device-table.ts";
import type { Container, EngineType } from "../../engines/engine.ts";
import type { ContainerSettings, DeviceRule, Limits, Mount } from "../../engines/container-spec.ts";
import { parseImageName, versionOf } from "../../engines/image-name.ts";
import type { PinnedFolders } from "../../shares/pinned-folders.ts";
import type { SharePath } from "../../shares/shares.ts";
import type { SharedFolders } from "./mount-guard.ts";

const megabyte = 1 << 20;

/** The network mode that QNAP's documents show of a container that was given no network: none with LXC. */
const shownNat: Readonly<Record<EngineType, string>> = { docker: "nat", lxc: "", lxd: "nat" };

/** Returns a container's settings in the fields of a create. */
export async function containerSettings(
  type: EngineType,
  container: Container,
  settings: ContainerSettings,
  folders: SharedFolders,
): Promise<ResourceAnswer> {
  const named = parseImageName(type, container.image, container.imageId);
  return {
    arch: settings.architecture,
    autostart: settings.autostart,
    image: named.image,
    name: container.name,
    network: {
      hostname: settings.hostname,
      mode: settings.mode === "nat" ? shownNat[type] : settings.mode,
      port: container.ports.map(({ host, container, protocol }) => [host, container, protocol]),
    },
    ...(container.privileged && { privileged: true as const }),
    resource: { device: deviceAnswer(settings.devices), limit: limitsAnswer(settings.limits) },
    type,
    version: versionOf(named),
    volume: { container: [...settings.volumesFrom], host: await mountsAnswer(settings.mounts, folders) },
  };
}

/** Returns the devices by name. A name means several majors, and an engine may keep each as a rule of its own. */
function deviceAnswer(rules: readonly DeviceRule[]): string[][] {
  const access = new Map<string, string>();
  for (const rule of rules) for (const { kind, major } of rule.majors) access.set(`${kind}${major}`, rule.access);
  return deviceNames.flatMap((name) => {
    const found = findDevice(name)?.map(({ kind, major }) => access.get(`${kind}${major}`));
    const first = found?.[0];
    return first !== undefined && found?.every((one) => one === first) ? [["allow", name, first]] : [];
  });
}

function limitsAnswer({ cpuTime, cpuWeight, memory }: Limits): ResourceAnswer["resource"]["limit"] {
  return {
    ...(cpuTime !== undefined && { cputime: cpuTime }),
    ...(cpuWeight !== undefined && { cpuweight: cpuWeight }),
    ...(memory !== undefined && { memory: `${Math.round(memory / megabyte)}m` }),
  };
}

/** Returns the mounts: folders of shares by the share's name, others by their path. */
async function mountsAnswer(
  mounts: readonly Mount[],
  { pins, shares }: SharedFolders,
): Promise<ResourceAnswer["volume"]["host"]> {
  const shown: ResourceAnswer["volume"]["host"] = {};
  for (const { source, target, readOnly } of mounts) {
    const place = pins.placeOf(source) ?? (await shares.locate(source));
    shown[place ? sharePathText(place) : source] = { bind: target, ro: readOnly };
  }
  return shown;
}

function sharePathText({ share, components }: SharePath): string {
  return `/share/${[share, ...components].join("/")}`;
}

/**
 * Returns an engine's own description of a container with folders of shares in place of the paths that the engine was
 * given: `/share/Public/music` alone, or at the beginning of Docker's `SOURCE:TARGET:rw`.
 */
export function showSharePaths<T>(inspected: T, pins: Pick<PinnedFolders, "placeOf">): T {
  return JSON.parse(JSON.stringify(inspected), (_, value: unknown) => {
    if (typeof value !== "string") return value;
    const end = value.indexOf(":/");
    const [source, rest] = end < 0 ? [value, ""] : [value.slice(0, end), value.slice(end)];
    const place = pins.placeOf(source);
    return place ? sharePathText(place) + rest : value;
  }) as T;
}
