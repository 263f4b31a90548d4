#!/bin/sh
# One run of tests, with engines of their own in private network, mount and process namespaces. Nothing of the machine's
# own engines, firewall or containers is touched, and everything started ends with the namespace. The way out, which the
# building of a Debian needs, is a network in user space.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

fail() {
  echo "gantry: $1" >&2
  echo "0 passed, 1 failed"
  exit 1
}

folder=$(mktemp -d -t gantry-test.XXXXXX)
group="gantry-test-$$"
child=""
network=""
cleanup() {
  if [ -n "$network" ]; then
    kill "$network" 2>/dev/null || true
    wait "$network" 2>/dev/null || true
  fi
  # The first process of the namespace takes everything in there along; unshare ends when all of it is gone.
  if [ -n "$child" ]; then
    pkill -KILL -P "$child" || true
    wait "$child" 2>/dev/null || true
  fi
  # What an engine was killed with; what it mounted is gone with the namespace.
  losetup -n -O NAME,BACK-FILE | while read -r device file; do
    case $file in "$folder"/*) losetup -d "$device" || true ;; esac
  done
  rm -rf "$folder"
  # Where the machine has no control groups mounted, the tests' own can be reached in this way only.
  unshare --mount sh -c '"$1/node_modules/.bin/node" "$1/scripts/mount-cgroups.ts"
    find /sys/fs/cgroup -depth -type d -path "*/$2*" -exec rmdir {} +' sh "$root" "$group" 2>/dev/null || true
}
trap cleanup EXIT
trap "exit 1" INT TERM HUP

export GANTRY_TEST_FOLDER="$folder" GANTRY_TEST_CGROUP="/$group"
mkfifo "$folder/network-is-up" "$folder/network-is-used"
unshare --net --mount --pid --fork --kill-child --mount-proc sh "$root/scripts/test-inside.sh" "$@" &
child=$!
# unshare itself is in the new network by then. What ends it is that nobody there holds the second pipe any more.
until [ "$(readlink "/proc/$child/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do
  kill -0 "$child" 2>/dev/null || fail "the namespaces could not be made."
  sleep 0.05
done
slirp4netns --configure --mtu=1400 --disable-host-loopback --ready-fd=4 --exit-fd=5 "$child" tap0 \
  4>"$folder/network-is-up" 5<"$folder/network-is-used" >"$folder/network.log" 2>&1 &
network=$!
code=0
wait "$child" || code=$?
child=""
exit "$code"
