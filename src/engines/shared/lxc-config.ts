import { invalid } from "../../errors.ts";
import { broadcastOf } from "../../util/addresses/subnet.ts";

/** Lines of LXC's configuration, which LXD passes on as `raw.lxc`. */

/**
 * Returns settings as a configuration. Throws `invalid` for a control character: a line break in a value would be a
 * setting of its own.
 */
export function joinLines(lines: readonly string[]): string {
  const bad = lines.find((line) => /\p{Cc}/u.test(line));
  if (bad !== undefined) throw invalid(bad.split(" = ")[0] ?? "", "must not contain control characters.");
  return lines.map((line) => `${line}\n`).join("");
}

/** LXC reads each mount into so many bytes and passes over the rest, which may be its `ro`. */
const longestMount = 4095;

/**
 * Returns the setting that mounts a path of the host. `target` is relative to the container's root. Throws `invalid`
 * when the paths are too long.
 */
export function mountLine(source: string, target: string, options: readonly string[]): string {
  const mount = `${escapePath(source)} ${escapePath(target)} none ${options.join(",")} 0 0`;
  if (Buffer.byteLength(mount) >= longestMount) throw invalid("volume.host", "has a folder whose path is too long.");
  return `lxc.mount.entry = ${mount}`;
}

/** Returns a path as fstab(5) has it. */
function escapePath(path: string): string {
  return path.replaceAll(/[ \t\n\\]/g, (letter) => {
    return [...Buffer.from(letter)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
  });
}

/**
 * Returns the settings for a share of CPU time, 2 to 1024. Both versions of control groups are named; LXC ignores the
 * one that the host has not.
 */
export function weightLines(cpuWeight: number): string[] {
  const unified = 1 + Math.floor(((cpuWeight - 2) * 9999) / 262_142);
  return [`lxc.cgroup.cpu.shares = ${cpuWeight}`, `lxc.cgroup2.cpu.weight = ${unified}`];
}

/** The length of a scheduling period in microseconds. */
const cpuPeriod = 100_000;

/** Returns the settings that limit CPU time. `cpuTime`: milliseconds of one core in each second. */
export function quotaLines(cpuTime: number): string[] {
  const microseconds = cpuTime * (cpuPeriod / 1000);
  return [
    `lxc.cgroup.cpu.cfs_period_us = ${cpuPeriod}`,
    `lxc.cgroup.cpu.cfs_quota_us = ${microseconds}`,
    `lxc.cgroup2.cpu.max = ${microseconds} ${cpuPeriod}`,
  ];
}

/**
 * Returns the settings that limit memory in bytes. `swap`: the kernel limits swap, and as much as memory is allowed, as
 * Docker has it. The kernel wants the memory's limit first.
 */
export function memoryLines(memory: number, swap: boolean): string[] {
  return [
    `lxc.cgroup.memory.limit_in_bytes = ${memory}`,
    `lxc.cgroup2.memory.max = ${memory}`,
    ...(swap
      ? [`lxc.cgroup.memory.memsw.limit_in_bytes = ${memory * 2}`, `lxc.cgroup2.memory.swap.max = ${memory}`]
      : []),
  ];
}

/** Returns the settings that allow or deny a device, given as `c 81:* rw`. */
export function deviceLines(verb: "allow" | "deny", device: string): string[] {
  return [`lxc.cgroup.devices.${verb} = ${device}`, `lxc.cgroup2.devices.${verb} = ${device}`];
}

/** Returns the settings for an address of the container's first network card. `address`: with its prefix length. */
export function addressLines(address: string, gateway: string | undefined): string[] {
  return [
    `lxc.net.0.ipv4.address = ${addressSetting(address)}`,
    ...(gateway === undefined ? [] : [`lxc.net.0.ipv4.gateway = ${gateway}`]),
  ];
}

/** Returns an address as LXC's configuration takes it. Without a broadcast address LXC makes a wrong one, 0.0.0.255. */
export function addressSetting(address: string): string {
  const [ip = "", length] = address.split("/");
  return `${address} ${broadcastOf({ address: ip, length: Number(length) }) ?? "0.0.0.0"}`;
}
