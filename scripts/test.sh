#!/bin/sh
# npm test [-- FILTER]: all tests, or those of files with FILTER in their path. Each run has engines of its own
# (test-world.sh); all tests together are two runs side by side.
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
  perl=perl-base tar=tar mkfs.btrfs=btrfs-progs lxd=lxd dnsmasq=dnsmasq-base mmdebstrap=mmdebstrap xz=xz-utils zstd=zstd \
  slirp4netns=slirp4netns lxc-start=lxc newuidmap=uidmap setfattr=attr nft=nftables conntrack=conntrack unzip=unzip script=bsdutils \
  oathtool=oathtool strace=strace pamtester=pamtester || fail "an engine or a tool of the tests is missing."

if [ $# -gt 0 ] || [ -n "${GANTRY_TEST_ENTRY:-}" ]; then exec sh "$root/scripts/test-world.sh" "$@"; fi

output=$(mktemp -d)
children=""
cleanup() {
  [ -z "$children" ] || kill $children 2>/dev/null || true
  wait
  rm -rf "$output"
}
trap cleanup EXIT
trap "exit 1" INT TERM HUP

: >"$output/rest"
GANTRY_TEST_HALF=system sh "$root/scripts/test-world.sh" >"$output/system" 2>&1 &
children="$!"
GANTRY_TEST_HALF=rest sh "$root/scripts/test-world.sh" >"$output/rest" 2>&1 &
children="$children $!"
tail -n +1 -q -f "$output/rest" --pid="${children#* }" &
failures=0
for child in $children; do wait "$child" || failures=1; done
children=""
wait
cat "$output/system"

# The sum of both last lines; a run that ended without one has failed.
sum() {
  for half in system rest; do tail -n 1 "$output/$half"; done | awk -v n="$1" '
    /^[0-9]+ passed, [0-9]+ failed$/ { total += $(n); next } n == 3 { total++ } END { print total + 0 }'
}
failed=$(sum 3)
if [ "$failures" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
echo "$(sum 1) passed, $failed failed"
exit "$failures"
