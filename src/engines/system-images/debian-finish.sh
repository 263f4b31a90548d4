#!/bin/sh
# debian-finish.sh ROOT: makes a fresh Debian a system image. mmdebstrap runs it when all packages are there.
set -eu
root=$1

# The card's own address, by DHCP; an address and routes that were given from outside stay, and come first.
mkdir -p "$root/etc/systemd/networkd.conf.d"
printf '[Network]\nManageForeignRoutes=no\n' >"$root/etc/systemd/networkd.conf.d/80-foreign.conf"
cat >"$root/etc/systemd/network/80-eth0.network" <<'EOF'
[Match]
Name=eth0

[Network]
DHCP=yes
KeepConfiguration=static

[DHCPv4]
ClientIdentifier=mac
RouteMetric=1024
UseDomains=yes
EOF
chroot "$root" systemctl enable systemd-networkd.service systemd-resolved.service

# Nothing of the host that built it: names come from the resolver, the host name from the container's own.
ln -sf ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
rm -f "$root/etc/hostname" "$root/etc/apt/apt.conf.d/99mmdebstrap" "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap"
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' >"$root/etc/hosts"
: >"$root/etc/machine-id"
