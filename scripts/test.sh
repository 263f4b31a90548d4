#!/bin/sh
# npm test [-- FILTER]: all tests, with engines of their own in private network, mount and process namespaces. Nothing
# of the machine's own engines, firewall or containers is touched, and everything started ends with the namespace.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

fail() {
  echo "gantry: $1" >&2
  echo "0 passed, 1 failed"
  exit 1
}

sh "$root/scripts/install.sh" || fail "the dependencies could not be installed."
[ "$(id -u)" = 0 ] || fail "the tests start engines of their own, which takes root: run npm test as root."
sh "$root/scripts/packages.sh" dockerd=docker.io docker-proxy=docker.io containerd=containerd runc=runc \
  docker-registry=docker-registry busybox=busybox-static ip=iproute2 iptables=iptables curl=curl openssl=openssl \
  nbdkit=nbdkit nbdfuse=libnbd-bin mkfs.ext4=e2fsprogs wrk=wrk jq=jq ps=procps unshare=util-linux mount=mount \
  perl=perl-base tar=tar lxd=lxd dnsmasq=dnsmasq-base oathtool=oathtool pamtester=pamtester || fail "an engine or a tool of the tests is missing."

folder=$(mktemp -d -t gantry-test.XXXXXX)
group="gantry-test-$$"
child=""
cleanup() {
  # The first process of the namespace takes everything in there along; unshare ends when all of it is gone.
  if [ -n "$child" ]; then
    pkill -KILL -P "$child" || true
    wait "$child" 2>/dev/null || true
  fi
  rm -rf "$folder"
  find /sys/fs/cgroup -depth -type d -path "*/$group*" -exec rmdir {} + 2>/dev/null || true
}
trap cleanup EXIT
trap "exit 1" INT TERM HUP

export GANTRY_TEST_FOLDER="$folder" GANTRY_TEST_CGROUP="/$group"
unshare --net --mount --pid --fork --kill-child --mount-proc sh "$root/scripts/test-inside.sh" "$@" &
child=$!
code=0
wait "$child" || code=$?
child=""
exit "$code"
