#!/bin/sh
# npm run check: types, lint with the layer rules, format, dead code, and the proof that each of these still finds things.
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root" || exit 1
sh scripts/install.sh || exit 1
# The tools start with `env node`: that must be the pinned one.
PATH="$root/node_modules/.bin:$PATH"
# The linter walks into node_modules unless it is told where to look.
folders=""
for folder in src test scripts bench; do
  if [ -d "$folder" ]; then folders="$folders $folder"; fi
done

failed=""
step() {
  name=$1
  shift
  echo "== $name"
  "$@" || failed="$failed $name"
}
step lock-file node scripts/complete-lock.ts --check
step types tsc
# The contract runs in browsers too, so it must do without the types of Node.
step api-types tsc -p tsconfig.api.json
# shellcheck disable=SC2086
step lint oxlint $folders
# shellcheck disable=SC2086
step format oxfmt --check $folders
step dead-code knip
step structure node scripts/structure/check.ts
step proof node scripts/prove-check.ts

[ -z "$failed" ] || {
  echo "check failed:$failed" >&2
  exit 1
}
echo "check passed"
