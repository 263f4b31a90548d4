import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { freeSubnet, readRoutes } from "../free-subnet.ts";

const file = "/etc/default/lxc-net";
/** Folder of the containers' fixed addresses: the station writes one file for each, which dnsmasq reads. */
const hostsFolder = "/etc/lxc/gantry-dhcp-hosts";
const dnsmasqFile = "/etc/lxc/gantry-dnsmasq.conf";
const defaultSubnet = "10.0.3.0/24";

/** The shell variables that configure lxc-net. */
export type LxcSettings = Readonly<Record<string, string | undefined>>;

/** Reads the settings from LXC's files in `/etc/default`. */
export function readSettings(): LxcSettings {
  const found: Record<string, string> = {};
  // lxc-net reads the files in this order; a later value replaces an earlier one.
  for (const path of ["/etc/default/lxc", file]) {
    if (!existsSync(path)) continue;
    for (const line of readFileSync(path, "utf8").split("\n")) {
      const [, key, value] = /^\s*([A-Z0-9_]+)=["']?([^"'#\s]*)/.exec(line) ?? [];
      if (key !== undefined && value !== undefined) found[key] = value;
    }
  }
  return found;
}

/** Returns the name of the bridge that lxc-net makes. */
export function bridgeName(settings: LxcSettings): string {
  return settings["LXC_BRIDGE"] || "lxcbr0";
}

/**
 * Adds the settings that the administrator has not made: the bridge is on, has a free subnet, and its DHCP server reads the
 * station's fixed addresses.
 */
export function completeSettings(): void {
  const settings = readSettings();
  const added: Record<string, string> = {};
  if (!settings["USE_LXC_BRIDGE"]) added["USE_LXC_BRIDGE"] = "true";
  if (!settings["LXC_DHCP_CONFILE"]) added["LXC_DHCP_CONFILE"] = dnsmasqFile;
  if (!settings["LXC_ADDR"] && !settings["LXC_NETWORK"]) {
    const subnet = freeSubnet(readRoutes(), defaultSubnet, bridgeName(settings));
    if (subnet !== defaultSubnet) Object.assign(added, subnetSettings(subnet));
  }
  if ((settings["LXC_DHCP_CONFILE"] || dnsmasqFile) === dnsmasqFile) writeDnsmasqFile();
  const lines = Object.entries(added).map(([key, value]) => `${key}="${value}"`);
  if (lines.length > 0) appendFileSync(file, ["", "# By Gantry's set-up.", ...lines, ""].join("\n"));
}

function subnetSettings(subnet: string): Record<string, string> {
  const start = subnet.replace(/\.0\/24$/, "");
  return {
    LXC_ADDR: `${start}.1`,
    LXC_NETMASK: "255.255.255.0",
    LXC_NETWORK: subnet,
    LXC_DHCP_RANGE: `${start}.2,${start}.254`,
  };
}

function writeDnsmasqFile(): void {
  // dnsmasq runs as a user of its own, who must be able to read the files.
  mkdirSync(hostsFolder, { recursive: true, mode: 0o755 });
  const lines = [
    "# By Gantry's set-up.",
    `dhcp-hostsdir=${hostsFolder}`,
    "# Else each address takes 3 s; fixed ones are reserved above.",
    "no-ping",
    "",
  ];
  writeFileSync(dnsmasqFile, lines.join("\n"), { mode: 0o644 });
}
