import { existsSync, readFileSync } from "node:fs";
import type { Requirements } from "./packages.ts";

/** For a bridge with DHCP and address translation. */
const bridge: Requirements = { dnsmasq: "dnsmasq-base", iptables: "iptables", ip: "iproute2" };

/** Docker itself. */
export const dockerRequirements: Requirements = {
  dockerd: "docker.io",
  containerd: "containerd",
  runc: "runc",
  iptables: "iptables",
  "update-ca-certificates": "ca-certificates",
};

/** LXC itself. */
export const lxcRequirements: Requirements = { "lxc-start": "lxc", ...bridge };

/** LXD itself. */
export const lxdRequirements: Requirements = {
  lxd: "lxd",
  newuidmap: "uidmap",
  // LXD finds out only at its start which kinds of storage it supports.
  "mkfs.btrfs": "btrfs-progs",
  ...bridge,
};

/** For Docker containers with an address of the LAN. */
export const dockerTools: Requirements = { ip: "iproute2", busybox: "busybox-static" };

/** For LXC and LXD containers: to forward ports, to build and unpack images, and to limit sizes. */
export const systemTools: Requirements = {
  nft: "nftables",
  conntrack: "conntrack",
  mmdebstrap: "mmdebstrap",
  "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
  tar: "tar",
  zstd: "zstd",
  xz: "xz-utils",
  "mkfs.ext4": "e2fsprogs",
  losetup: "mount",
};

/** For logins of the host's own users. */
export const pamRequirements: Requirements = { pamtester: "pamtester" };

/** For AppArmor: if it is on in this kernel, engines need its parser to start containers. */
export function appArmorRequirements(): Requirements {
  const file = "/sys/module/apparmor/parameters/enabled";
  return existsSync(file) && readFileSync(file, "utf8").startsWith("Y") ? { apparmor_parser: "apparmor" } : {};
}
