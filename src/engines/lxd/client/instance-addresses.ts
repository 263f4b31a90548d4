/** What an instance's configuration says of the addresses of its cards. */

/** The part of an instance that says it; as in LXD's API. */
interface Configured {
  config: Record<string, string>;
  /** The same with what its profiles say. */
  expanded_devices?: Record<string, Record<string, string>>;
}

/** The setting of a raw configuration that gives an address; see lxc.container.conf(5). */
export const addressKey = "lxc.net.0.ipv4.address";

/** Returns the values of a setting in a raw configuration. */
export function valuesOf(raw: string | undefined, key: string): string[] {
  return (raw ?? "").split("\n").flatMap((line) => {
    const [name, ...value] = line.split("=");
    return name?.trim() === key ? value.join("=").trim() : [];
  });
}

/** Returns those of the raw configuration, with prefix length; without the broadcast address behind it. */
export function addressesOf({ config }: Configured): string[] {
  return valuesOf(config["raw.lxc"], addressKey).flatMap((value) => value.split(" ")[0] ?? []);
}

/** Returns those that LXD and the raw configuration give, without prefix length. */
export function givenTo(instance: Configured): string[] {
  const devices = Object.values(instance.expanded_devices ?? {});
  const listed = devices.flatMap((device) =>
    `${device["ipv4.address"] ?? ""},${device["ipv4.routes"] ?? ""}`.split(","),
  );
  return [...listed, ...addressesOf(instance)].flatMap((text) => text.trim().split("/")[0] || []);
}

/** Returns the MAC addresses that its cards were given or have, in lower case. */
export function macsOf({ config, expanded_devices: devices = {} }: Configured): string[] {
  const own = Object.entries(config).flatMap(([key, value]) => (key.endsWith(".hwaddr") ? value : []));
  const given = Object.values(devices).flatMap(({ hwaddr }) => hwaddr || []);
  return [...new Set([...own, ...given].map((mac) => mac.toLowerCase()))];
}
