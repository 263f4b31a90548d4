#!/bin/sh
# npm run engines:start and engines:stop: what the station's set-up starts, without the station.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
sh "$root/scripts/install.sh"
exec "$root/node_modules/.bin/node" "$root/src/setup/cli.ts" "$@"
