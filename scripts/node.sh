#!/bin/sh
# The pinned Node, as the station runs on it, in place of this process. Compiled code is kept, so starts are faster; of
# source that is not bundled also what type stripping made, so the 18 MB of the stripper are not loaded. Short-lived objects
# need no 16 MB of their own. The C library gives freed memory back at once, and keeps two pools of it, not eight for each
# processor.
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$root/.cache/compile}"
export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-2}" MALLOC_TRIM_THRESHOLD_="${MALLOC_TRIM_THRESHOLD_:-131072}"
exec "$root/node_modules/.bin/node" --max-semi-space-size=4 --expose-gc "$@"
