#!/bin/sh
# The first process of the tests' namespaces: private /run, /sys, hosts and resolver files, then the runner. A shell,
# because it also takes in the processes that daemons leave behind.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
folder=$GANTRY_TEST_FOLDER
PATH="$PATH:/usr/sbin:/sbin"

ip link set lo up
# A new network takes this from the machine's; Docker drops what others forward only where it has turned it on itself.
echo 0 >/proc/sys/net/ipv4/ip_forward
# slirp4netns writes a 1, without a newline; or ends without, and the tests that need the way out say so.
exec 6<"$folder/network-is-up" 7>"$folder/network-is-used"
read -r _ <&6 || true
exec 6<&-
sh "$root/scripts/leave-mounts.sh"
mount -t tmpfs tmpfs /run
[ -L /var/run ] || mount -t tmpfs tmpfs /var/run
mkdir -p /run/lock "$folder/cgroup" "$folder/tmp"
"$root/node_modules/.bin/node" "$root/scripts/mount-cgroups.ts"
# A new /sys shows this network namespace's interfaces; the control groups come along.
mount --rbind /sys/fs/cgroup "$folder/cgroup"
mount -t sysfs sysfs /sys
mount --rbind "$folder/cgroup" /sys/fs/cgroup
umount -l "$folder/cgroup"
# A registry of the tests stands in for Docker Hub, by its name.
printf '127.0.0.1 localhost registry-1.docker.io\n::1 localhost\n' >"$folder/hosts"
touch /etc/hosts
mount --bind "$folder/hosts" /etc/hosts
# The resolver of slirp4netns; the file may be a link to what /run had.
printf 'nameserver 10.0.2.3\n' >"$folder/resolv.conf"
resolver=$(readlink -m /etc/resolv.conf)
mkdir -p "$(dirname "$resolver")"
[ -e "$resolver" ] || touch "$resolver"
mount --bind "$folder/resolv.conf" "$resolver"

# What type stripping and compiling made is read by the next process, as the station does (node.sh).
export NODE_COMPILE_CACHE="$root/.cache/compile"
entry=${GANTRY_TEST_ENTRY:-test/run.ts}
TMPDIR="$folder/tmp" "$root/node_modules/.bin/node" "$root/$entry" "$@" &
runner=$!
trap 'kill -TERM "$runner"' INT TERM
while kill -0 "$runner" 2>/dev/null; do
  code=0
  wait "$runner" || code=$?
done
exit "$code"
