#!/bin/sh
# Brings the dependencies of the lock file, once: a stamp in node_modules holds the lock file's hash. Any number of
# callers at the same time wait for one of them.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
node="$root/node_modules/.bin/node"
stamp="$root/node_modules/.gantry-stamp"

fail() {
  echo "gantry: $1" >&2
  exit 1
}

wanted() { sha256sum <"$root/package-lock.json"; }
installed() { [ -x "$node" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$(wanted)" ]; }

# The npm that called us if there is one, and never on the runtime that it is about to replace.
run_npm() {
  PATH=$(printf '%s' "$PATH" | tr ':' '\n' | grep -v '/node_modules/\.bin$' | paste -sd: -)
  case "${npm_execpath:-}" in
    */npm-cli.js) "${npm_node_execpath:-node}" "$npm_execpath" "$@" ;;
    *) npm "$@" ;;
  esac
}

if installed; then exit 0; fi
case "$(uname -s) $(uname -m)" in
  "Linux x86_64") arch=x64 ;;
  "Linux aarch64") arch=arm64 ;;
  *) fail "Gantry runs on Linux on x64 or arm64; this machine is $(uname -s) on $(uname -m)." ;;
esac

mkdir -p "$root/.cache"
exec 9>"$root/.cache/install.lock"
flock 9
if installed; then exit 0; fi
echo "gantry: installing the dependencies of package-lock.json" >&2
# In the foreground of a script npm prints to standard output, which belongs to the station.
(cd "$root" && run_npm ci --include=dev --include=optional --no-audit --no-fund --loglevel=error >&2 9>&-) ||
  fail "npm ci failed; its messages are above. Check the connection to the package registry and try again."
# npm 9 makes no link for a command that two packages have.
[ -x "$node" ] || ln -sf "../node-linux-$arch/bin/node" "$node"
"$node" --version >/dev/null 2>&1 ||
  fail "the pinned Node runtime does not run here; Gantry needs a Linux with glibc 2.28 or newer."
wanted >"$stamp"
