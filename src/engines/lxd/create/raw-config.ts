import type { ContainerSpec, DeviceRule, Limits, Mount } from "../../container-spec.ts";
import { addressLines, deviceLines, joinLines, mountLine, weightLines } from "../../shared/lxc-config.ts";

/**
 * Returns what LXD's own configuration cannot say, as lines for the LXC below it (`raw.lxc`). `shift`: folders of the
 * host are mounted with the container's user ids.
 */
export function rawConfig(spec: ContainerSpec, shift: boolean): string {
  const mounts = shift && !spec.privileged ? spec.mounts.map(shiftedMount) : [];
  return joinLines([
    ...consoleFile,
    ...hostname(spec),
    ...weight(spec.limits),
    ...lanAddress(spec),
    ...deviceRules(spec),
    ...mounts,
  ]);
}

/** The console goes to a file of up to 1 MB, and from there to a second one; at LXD's own size it is thrown away. */
const consoleFile = ["lxc.console.size = 1MB", "lxc.console.rotate = 1"];

/**
 * Returns the mount of a folder of the host with the container's user ids. LXD's own `shift` refuses on kernels from
 * 6.9 on (5.0.2, seen on 6.18; see issue 882 of Incus); the LXC below does it on all that can. It looks the folder up
 * as the container's root, so all folders above must let others pass.
 */
function shiftedMount({ source, target, readOnly }: Mount): string {
  const options = ["bind", ...(readOnly ? ["ro"] : []), "create=dir", "idmap=container"];
  return mountLine(source, target.slice(1), options);
}

/** Returns the host name, where it is another than the container's name, which LXD takes itself. */
function hostname({ hostname: name }: ContainerSpec): string[] {
  return name === undefined ? [] : [`lxc.uts.name = ${name}`];
}

/** Returns the share of CPU time: LXD's own setting has ten steps, or takes the place of the quota. */
function weight({ cpuWeight }: Limits): string[] {
  return cpuWeight === undefined ? [] : weightLines(cpuWeight);
}

/** Returns a fixed address of the LAN: LXD itself gives fixed ones only on its own networks. */
function lanAddress({ network }: ContainerSpec): string[] {
  if (network.mode !== "bridge" || network.address.by !== "static") return [];
  return addressLines(network.address.address, network.address.gateway);
}

/**
 * Returns the rules for devices. A privileged container may use no device but what is allowed; one with user ids of its
 * own may use all that it has a node of, and can make none, so only the access that was not asked for is denied.
 */
function deviceRules(spec: ContainerSpec): string[] {
  return spec.devices.flatMap((rule) => {
    const [verb, access] = spec.privileged
      ? (["allow", rule.access] as const)
      : (["deny", deniedAccess(rule)] as const);
    if (access === "") return [];
    const devices = rule.majors.map(({ kind, major }) => `${kind} ${major}:* ${access}`);
    return devices.flatMap((device) => deviceLines(verb, device));
  });
}

function deniedAccess({ access }: DeviceRule): string {
  return ["r", "w"].filter((letter) => !access.includes(letter)).join("");
}
