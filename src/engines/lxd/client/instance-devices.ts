import type { Instance } from "./instance.ts";

/** A device of an instance, as in LXD's API: names and values of its settings. */
export type Device = Record<string, string>;

/** A network card of an instance. */
export interface Card {
  /** Name of the device. */
  device: string;
  /** Its settings, as in LXD's API. */
  config: Device;
  /** As it is called inside. */
  name: string;
}

/**
 * Returns the first network card by name, which the lines of the raw configuration mean; undefined when there is none.
 */
export function cardOf({ expanded_devices: devices = {} }: Instance): Card | undefined {
  const [device, config] = Object.entries(devices)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .find(([, { type }]) => type === "nic") ?? [undefined, undefined];
  return device === undefined ? undefined : { device, config, name: config["name"] ?? device };
}

/** Returns the device of an instance's root file system; undefined when it has none. */
export function rootOf({ expanded_devices: devices = {} }: Instance): { device: string; config: Device } | undefined {
  const [device, config] = Object.entries(devices).find(([, { type, path }]) => type === "disk" && path === "/") ?? [];
  return device !== undefined && config ? { device, config } : undefined;
}
