import { addressSetting, joinLines } from "../../shared/lxc-config.ts";
import type { Shape } from "../../shape.ts";
import { addressKey, valuesOf } from "../client/instance-addresses.ts";
import { allowance } from "../create/create-body.ts";
import { type Instance, keys } from "../client/instance.ts";
import { type Device, rootOf } from "../client/instance-devices.ts";
import type { GivenNetwork } from "../network/taken-addresses.ts";

/** Shape -> what LXD keeps, and back. */

/** The body of PATCH /1.0/instances/NAME. */
export interface Patch {
  /** Settings by name; an empty text takes one away. */
  config?: Record<string, string>;
  /** Devices by name, each as a whole. */
  devices?: Record<string, Device>;
}

/** What the station's own key `user.gantry.shape` holds. */
export interface Kept extends Pick<Shape, "hostname" | "nameServers"> {
  /** It was stopped for a change, and is to run after it. */
  restart?: true;
}

/** Returns what the station keeps of a container's shape; {} when it keeps nothing. */
export function keptOf({ config }: Instance): Kept {
  try {
    return JSON.parse(config[keys.shape] ?? "{}") as Kept;
  } catch {
    return {};
  }
}

/** Returns a size in bytes as LXD's API takes it: 10GiB, 10GB or bytes; undefined when there is none. */
export function readSize(text: string | undefined): number | undefined {
  const [, number, unit = ""] = /^(\d+)([kMGTPE]?i?)B?$/.exec(text ?? "") ?? [];
  if (number === undefined) return undefined;
  const power = ["", "k", "M", "G", "T", "P", "E"].indexOf(unit.replace("i", "").replace("K", "k"));
  return Number(number) * (unit.endsWith("i") ? 1024 : 1000) ** power;
}

const own = {
  hostname: "lxc.uts.name",
  address: addressKey,
  gateway: "lxc.net.0.ipv4.gateway",
} as const;

/** Returns a container's host name: as set, else its name. */
export function hostnameOf({ name, config }: Instance): string {
  return valuesOf(config["raw.lxc"], own.hostname).at(-1) ?? name;
}

/**
 * Returns the raw configuration with another host name or other addresses. LXC sets both before the first process
 * starts, so they hold in an image that knows nothing of them.
 */
function rawWith({ config }: Instance, hostname: string | undefined, network: GivenNetwork | undefined): string {
  const replaced: string[] = [
    ...(hostname === undefined ? [] : [own.hostname]),
    ...(network ? [own.address, own.gateway] : []),
  ];
  const others = (config["raw.lxc"] ?? "").split("\n").filter((line) => {
    return line !== "" && !replaced.includes(line.split("=")[0]?.trim() ?? "");
  });
  return `${joinLines(others)}${joinLines([
    ...(hostname === undefined ? [] : [`${own.hostname} = ${hostname}`]),
    ...(network?.given ?? []).map(
      ({ address, length }) => `${own.address} = ${addressSetting(`${address}/${length}`)}`,
    ),
    ...(network ? [`${own.gateway} = ${network.gateway}`] : []),
  ])}`;
}

/** Returns the patch for limits. */
export function limitsPatch({ cpuTime, memory }: Shape): Patch {
  return {
    config: {
      ...(memory !== undefined && { "limits.memory": String(memory) }),
      ...(cpuTime !== undefined && { "limits.cpu.allowance": allowance(cpuTime) }),
    },
  };
}

/** Returns the patch for a size in bytes; {} for a container without a root device. */
export function sizePatch(instance: Instance, size: number): Patch {
  const root = rootOf(instance);
  return root ? { devices: { [root.device]: { ...root.config, size: String(size) } } } : {};
}

/** Returns the patch for names and addresses, and for what is said of them in the station's own key. */
export function namesPatch(instance: Instance, change: Shape, network: GivenNetwork | undefined, flags: Kept): Patch {
  const { hostname, nameServers } = change;
  const kept: Kept = {
    ...keptOf(instance),
    ...(hostname !== undefined && { hostname }),
    ...(nameServers && { nameServers }),
    ...flags,
  };
  return {
    config: {
      ...((hostname !== undefined || network) && { "raw.lxc": rawWith(instance, hostname, network) }),
      [keys.shape]: JSON.stringify(kept),
    },
    ...(network && { devices: { [network.card.device]: nicWith(network) } }),
  };
}

/**
 * Returns a card's settings with given addresses. The first one of the bridge's network is what its DHCP server gives,
 * too; to those of others this host gets routes.
 */
function nicWith({ card, given }: GivenNetwork): Device {
  const { "ipv4.address": _, "ipv4.routes": __, ...rest } = card.config;
  const near = given.find((one) => one.near)?.address;
  const routes = given.filter((one) => !one.near).map(({ address }) => `${address}/32`);
  return {
    ...rest,
    ...(near !== undefined && { "ipv4.address": near }),
    ...(routes.length > 0 && { "ipv4.routes": routes.join(",") }),
  };
}

/** Returns the patch that makes of what is there now what was there before. */
export function undoOf({ config = {}, devices = {} }: Patch, before: Instance): Patch {
  return {
    config: Object.fromEntries(Object.keys(config).map((key) => [key, before.config[key] ?? ""])),
    devices: Object.fromEntries(
      Object.keys(devices).flatMap((name) => {
        const device = before.expanded_devices?.[name];
        return device ? [[name, device]] : [];
      }),
    ),
  };
}
