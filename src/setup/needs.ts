import { existsSync, readFileSync } from "node:fs";
import type { Needs } from "./packages.ts";

const bridge: Needs = { dnsmasq: "dnsmasq-base", iptables: "iptables", ip: "iproute2" };

export const dockerNeeds: Needs = {
  dockerd: "docker.io",
  containerd: "containerd",
  runc: "runc",
  iptables: "iptables",
  "update-ca-certificates": "ca-certificates",
};

export const lxcNeeds: Needs = { "lxc-start": "lxc", ...bridge };

export const lxdNeeds: Needs = {
  lxd: "lxd",
  newuidmap: "uidmap",
  // LXD looks once, when it starts, which kinds of storage it can serve.
  "mkfs.btrfs": "btrfs-progs",
  ...bridge,
};

/** For containers with an address of the LAN. */
export const dockerTools: Needs = { ip: "iproute2", busybox: "busybox-static" };

/** For LXC and LXD: ports are published, images built and unpacked, sizes held. */
export const systemTools: Needs = {
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

/** For the host's own users. */
export const pamNeeds: Needs = { pamtester: "pamtester" };

/** Where the kernel has AppArmor on, no engine starts a container without its loader. */
export function appArmorNeeds(): Needs {
  const file = "/sys/module/apparmor/parameters/enabled";
  return existsSync(file) && readFileSync(file, "utf8").startsWith("Y") ? { apparmor_parser: "apparmor" } : {};
}
