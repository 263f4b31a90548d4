#!/bin/sh
# npm start: dependencies, then the station in this very process, so that a signal to npm reaches it.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
sh "$root/scripts/install.sh"
exec sh "$root/scripts/station.sh" "$@"
