#!/bin/sh
# npm run prove:fresh [-- start|test]: npm start and npm test on a fresh Debian 12 that has Node and npm, and nothing else,
# in both orders, each on a root file system of its own: with start first the tests run beside the station and again after
# it, with test first before it and again after it. The root runs in namespaces of its own; what this machine needs to
# reach its package sources is copied into it. An argument narrows it to the order that begins with that command.
# GANTRY_FRESH_TESTS=setup runs only those tests that meet with what npm start leaves on the machine, no leaves them out.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

fail() {
  echo "prove-fresh: $1" >&2
  exit 1
}
step() { echo "== $1"; }

orders=${*:-start test}
for order in $orders; do
  case $order in start | test) ;; *) fail "the order is start or test, not $order." ;; esac
done
[ "$(id -u)" = 0 ] || fail "building a root file system takes root: run this as root."
sh "$root/scripts/packages.sh" mmdebstrap=mmdebstrap slirp4netns=slirp4netns unshare=util-linux curl=curl ||
  fail "mmdebstrap and slirp4netns are needed."

# Not on /tmp, which can be too small for a system.
work=$(mktemp -d /var/tmp/gantry-fresh.XXXXXX)
base="$work/base"
fresh="$work/root"
group="gantry-fresh-$$"
child=""
network=""
cleanup() {
  [ -z "$network" ] || kill "$network" 2>/dev/null || true
  # The first process of the namespace takes everything in there along; unshare ends when all of it is gone.
  if [ -n "$child" ]; then
    kill -KILL "$(cat "$work/inside.pid")" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  fi
  find /sys/fs/cgroup -depth -type d -path "*/$group*" -exec rmdir {} + 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

step "a fresh Debian 12 with nodejs, npm, curl and ca-certificates"
set --
for file in /etc/apt/apt.conf.d/*; do
  if grep -q '^ *Acquire' "$file"; then set -- "$@" "--aptopt=$file"; fi
done
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
  if [ -s "$file" ]; then sources="${sources:-} $file"; fi
done
# shellcheck disable=SC2086
mmdebstrap --quiet --variant=minbase --include=nodejs,npm,curl,ca-certificates "$@" bookworm "$base" $sources

step "this machine's way to its package sources, and a clean clone"
for file in /root/.npmrc /etc/npmrc /etc/ssl/certs/ca-certificates.crt; do
  if [ -f "$file" ]; then mkdir -p "$base$(dirname "$file")" && cp -L "$file" "$base$file"; fi
done
env | grep -Ei '^(https?_proxy|no_proxy|all_proxy|npm_config_registry|node_extra_ca_certs|ssl_cert_file|curl_ca_bundle|gantry_fresh_tests)=' |
  sed "s/'/'\\\\''/g; s/^\([^=]*\)=\(.*\)$/export \1='\2'/" >"$base/root/machine.env" || true
mkdir "$base/root/gantry"
# What a clone of the work tree as it is would hold.
(cd "$root" && git ls-files -z --cached --others --exclude-standard | tar --null --ignore-failed-read -T - -c) |
  tar -C "$base/root/gantry" -x

# Control groups of its own, where each hierarchy can be cut (version 1); else the machine's.
own=""
for folder in /sys/fs/cgroup/*/; do
  [ -d /sys/fs/cgroup/memory ] && [ -f "$folder/cgroup.procs" ] || continue
  mkdir "$folder$group"
  if [ -f "$folder/cpuset.cpus" ]; then
    cat "$folder/cpuset.cpus" >"$folder$group/cpuset.cpus"
    cat "$folder/cpuset.mems" >"$folder$group/cpuset.mems"
    echo 1 >"$folder$group/cgroup.clone_children"
  fi
  own=--cgroup
done

# prove ORDER: on a copy of the fresh root.
prove() {
  step "$1 first: entering a fresh root"
  rm -rf "$fresh" "$work/inside.pid" "$work/network-is-up"
  cp -a "$base" "$fresh"
  mkfifo "$work/network-is-up"
  (
    for folder in /sys/fs/cgroup/*/"$group"; do
      if [ -d "$folder" ]; then sh -c 'echo $PPID' >"$folder/cgroup.procs"; fi
    done
    # shellcheck disable=SC2086
    exec unshare --mount --pid --fork --kill-child --uts --ipc --net $own \
      sh "$root/scripts/fresh-enter.sh" "$work" "$1"
  ) &
  child=$!
  until [ -s "$work/inside.pid" ]; do
    kill -0 "$child" 2>/dev/null || fail "the namespaces could not be made."
    sleep 0.1
  done
  # A network in user space: the machine's firewall stays as it is.
  slirp4netns --configure --mtu=1400 --disable-host-loopback --ready-fd=4 "$(cat "$work/inside.pid")" tap0 \
    4>"$work/network-is-up" >"$work/network.log" 2>&1 &
  network=$!
  code=0
  wait "$child" || code=$?
  child=""
  kill "$network" 2>/dev/null || true
  wait "$network" 2>/dev/null || true
  network=""
  [ "$code" = 0 ] || fail "it does not work on a fresh Debian 12, $1 first; see above."
}

for order in $orders; do prove "$order"; done
case ${GANTRY_FRESH_TESTS:-} in
  no) step "npm start works on a fresh Debian 12" ;;
  setup) step "npm start and the tests of set-up work on a fresh Debian 12, first: $orders" ;;
  *) step "npm start and npm test work on a fresh Debian 12, first: $orders" ;;
esac
