#!/bin/sh
# npm test [-- FILTER]: all tests, or those of files with FILTER in their path. Each run has engines of its own
# (test-world.sh); all tests together are three runs side by side, which take their files from one queue.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

fail() {
  echo "gantry: $1" >&2
  echo "0 passed, 1 failed"
  exit 1
}

[ "$(id -u)" = 0 ] || fail "the tests start engines of their own, which takes root: run npm test as root."
sh "$root/scripts/install.sh" || fail "the dependencies could not be installed."
sh "$root/scripts/packages.sh" dockerd=docker.io docker-proxy=docker.io containerd=containerd runc=runc \
  docker-registry=docker-registry busybox=busybox-static ip=iproute2 iptables=iptables curl=curl openssl=openssl \
  nbdkit=nbdkit nbdfuse=libnbd-bin mkfs.ext4=e2fsprogs wrk=wrk jq=jq ps=procps unshare=util-linux mount=mount \
  perl=perl-base tar=tar mkfs.btrfs=btrfs-progs lxd=lxd dnsmasq=dnsmasq-base mmdebstrap=mmdebstrap xz=xz-utils zstd=zstd \
  slirp4netns=slirp4netns lxc-start=lxc newuidmap=uidmap setfattr=attr nft=nftables conntrack=conntrack unzip=unzip script=bsdutils \
  oathtool=oathtool strace=strace pamtester=pamtester || fail "an engine or a tool of the tests is missing."

if [ $# -gt 0 ] || [ -n "${GANTRY_TEST_ENTRY:-}" ]; then exec sh "$root/scripts/test-world.sh" "$@"; fi

# What the runs side by side have in common.
shared=$(mktemp -d -t gantry-shared.XXXXXX)
export GANTRY_TEST_SHARED="$shared"
worlds="1 2 3"
children=""
cleanup() {
  [ -z "$children" ] || kill $children 2>/dev/null || true
  wait
  rm -rf "$shared"
}
trap cleanup EXIT
trap "exit 1" INT TERM HUP

for world in $worlds; do
  : >"$shared/output.$world"
  GANTRY_TEST_RESULT="$shared/result.$world" sh "$root/scripts/test-world.sh" >"$shared/output.$world" 2>&1 &
  children="$children $!"
done
first=${children# }
tail -n +1 -q -f "$shared/output.1" --pid="${first%% *}" &
failures=0
for child in $children; do wait "$child" || failures=1; done
children=""
wait
cat "$shared/output.2" "$shared/output.3"
"$root/node_modules/.bin/node" "$root/test/report.ts" "$shared/result.1" "$shared/result.2" "$shared/result.3" || failures=1
exit "$failures"
