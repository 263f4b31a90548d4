#!/bin/sh
# packages.sh COMMAND=PACKAGE...: installs the Debian packages whose commands are missing.
set -eu
PATH="$PATH:/usr/sbin:/sbin"

fail() {
  echo "gantry: $1" >&2
  exit 1
}

missing=""
for pair in "$@"; do
  command -v "${pair%%=*}" >/dev/null 2>&1 || missing="$missing ${pair#*=}"
done
# Images are built from busybox, so it has to run without libraries.
if command -v busybox >/dev/null && ldd "$(command -v busybox)" >/dev/null 2>&1; then missing="$missing busybox-static"; fi
[ -n "$missing" ] || exit 0

[ -f /etc/debian_version ] || fail "these Debian packages, or what your system calls them, are needed:$missing"
[ "$(id -u)" = 0 ] || fail "these packages are needed; install them or run this as root:$missing"

echo "gantry: installing with apt-get:$missing" >&2
policy=/usr/sbin/policy-rc.d
log=$(mktemp)
made=""
cleanup() {
  [ -z "$made" ] || rm -f "$policy"
  rm -f "$log"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
# Packages must not start daemons: the tests start their own. Left behind by a crash, this is in nobody's way.
if [ ! -e "$policy" ]; then
  made=1
  printf '#!/bin/sh\n# By Gantry, for its own installs; it can be removed.\n[ -z "${GANTRY_SETUP:-}" ] || exit 101\n' >"$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive GANTRY_SETUP=1
# shellcheck disable=SC2086
if ! { apt-get update -q && apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 $missing; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  fail "apt-get failed; its last lines are above."
fi
