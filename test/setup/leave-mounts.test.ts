import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const script = join(import.meta.dirname, "../../scripts/leave-mounts.sh");

/** Mounts as the machine's own engines have them, one of them under another one, in a namespace of their own. */
const mounts = `
set -eu
for folder in /var/lib/lxd /var/lib/lxcfs /mnt; do mkdir -p "$folder"; mount -t tmpfs tmpfs "$folder"; done
mkdir -p "/var/lib/lxd/storage-pools/my pool"
mount -t tmpfs tmpfs "/var/lib/lxd/storage-pools/my pool"
mount -t tmpfs tmpfs /var/lib/lxd
sh "$1"
cat /proc/self/mountinfo
`;

test("the tests see nothing of what the machine's own engines have mounted", () => {
  const left = execFileSync("unshare", ["--mount", "sh", "-c", mounts, "sh", script], { encoding: "utf8" });
  assert.doesNotMatch(left, / \/var\/lib\/(?:lxd|lxcfs)/);
  assert.match(left, / \/mnt rw/, "other mounts stay");
});
