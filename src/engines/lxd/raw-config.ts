import { invalid } from "../../errors.ts";
import type { ContainerSpec, DeviceRule, Limits, Mount } from "../engine.ts";

/**
 * What LXD's own configuration cannot say, as lines for the LXC below it (`raw.lxc`). Both versions of control groups
 * are named; LXC passes over the one that the host has not. A line break in a value would be a setting of its own, so
 * none is let through.
 */
export function rawConfig(spec: ContainerSpec, shift: boolean): string {
  const mounts = shift && !spec.privileged ? spec.mounts.map(shiftedMount) : [];
  const lines = [...hostname(spec), ...weight(spec.limits), ...lanAddress(spec), ...deviceRules(spec), ...mounts];
  const bad = lines.find((line) => /\p{Cc}/u.test(line));
  if (bad !== undefined) throw invalid(bad.split(" = ")[0] ?? "", "must not contain control characters.");
  return lines.map((line) => `${line}\n`).join("");
}

/**
 * A folder of the host with the container's user IDs. LXD's own `shift` refuses on kernels from 6.9 on (5.0.2, seen on
 * 6.18; Incus has an issue of it, 882); the LXC below does it on all that can. It looks the folder up as the container's
 * root, so all folders above must let others through.
 */
function shiftedMount({ source, target, readOnly }: Mount): string {
  const options = ["bind", ...(readOnly ? ["ro"] : []), "create=dir", "idmap=container"];
  return `lxc.mount.entry = ${escapePath(source)} ${escapePath(target.slice(1))} none ${options.join(",")} 0 0`;
}

/** As in fstab. */
function escapePath(path: string): string {
  return path.replaceAll(/[ \t\n\\]/g, (letter) => {
    return [...Buffer.from(letter)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
  });
}

/** A container of LXD has its name as host name. */
function hostname({ hostname: name }: ContainerSpec): string[] {
  return name === undefined ? [] : [`lxc.uts.name = ${name}`];
}

/** LXD's own share of CPU time has ten steps, or takes the place of the quota. */
function weight({ cpuWeight }: Limits): string[] {
  if (cpuWeight === undefined) return [];
  const unified = 1 + Math.floor(((cpuWeight - 2) * 9999) / 262_142);
  return [`lxc.cgroup.cpu.shares = ${cpuWeight}`, `lxc.cgroup2.cpu.weight = ${unified}`];
}

/** LXD gives fixed addresses only on its own networks. */
function lanAddress({ network }: ContainerSpec): string[] {
  if (network.mode !== "bridge" || network.address.by !== "static") return [];
  const { address, gateway } = network.address;
  return [
    `lxc.net.0.ipv4.address = ${address}`,
    ...(gateway === undefined ? [] : [`lxc.net.0.ipv4.gateway = ${gateway}`]),
  ];
}

/**
 * A privileged container may use no device but what is allowed; one with user IDs of its own may use all that it has a
 * node of, and can make none, so only what is more than asked is taken away.
 */
function deviceRules(spec: ContainerSpec): string[] {
  return spec.devices.flatMap((rule) => {
    const [verb, access] = spec.privileged ? ["allow", rule.access] : ["deny", withheld(rule)];
    if (access === "") return [];
    const devices = rule.majors.map(({ kind, major }) => `${kind} ${major}:* ${access}`);
    return devices.flatMap((device) => [
      `lxc.cgroup.devices.${verb} = ${device}`,
      `lxc.cgroup2.devices.${verb} = ${device}`,
    ]);
  });
}

function withheld({ access }: DeviceRule): string {
  return ["r", "w"].filter((letter) => !access.includes(letter)).join("");
}
