#!/bin/sh
# fresh-enter.sh FOLDER ORDER: the first process of prove-fresh's namespaces. Makes FOLDER/root the root file system, as a small
# machine has it: own /proc, /sys and /dev, and control groups not mounted.
set -eu
fresh="$1/root"
# /proc is still the one outside, and so is this pid.
read -r pid _ </proc/self/stat
echo "$pid" >"$1/inside.pid"
read -r _ <"$1/network-is-up" || true # slirp4netns writes a 1, without a newline

mount --bind "$fresh" "$fresh"
mount -t proc proc "$fresh/proc"
mount -t sysfs sysfs "$fresh/sys"
mount -t tmpfs -o mode=755 tmpfs "$fresh/dev"
for name in null zero full random urandom tty fuse loop-control btrfs-control kmsg net/tun; do
  [ -e "/dev/$name" ] || continue
  mkdir -p "$(dirname "$fresh/dev/$name")"
  cp -a "/dev/$name" "$fresh/dev/$name"
done
# The kernel makes the devices when they are asked for; who makes their nodes on a real machine is not here.
for number in $(seq 0 255); do mknod "$fresh/dev/loop$number" b 7 "$number"; done
mkdir "$fresh/dev/pts" "$fresh/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$fresh/dev/pts"
ln -s pts/ptmx "$fresh/dev/ptmx"
ln -s /proc/self/fd "$fresh/dev/fd"
mount -t tmpfs -o mode=1777 tmpfs "$fresh/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$fresh/run"
mkdir -p "$fresh/run/lock"
hostname fresh
printf '127.0.0.1 localhost fresh\n::1 localhost\n' >"$fresh/etc/hosts"
# The resolver of slirp4netns.
printf 'nameserver 10.0.2.3\n' >"$fresh/etc/resolv.conf"

mkdir "$fresh/old"
cd "$fresh"
pivot_root . old
cd /
umount -l /old
rmdir /old

# Not exec: the first process takes in what daemons leave behind.
code=0
env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
  sh /root/gantry/scripts/fresh-steps.sh "$2" || code=$?
exit "$code"
