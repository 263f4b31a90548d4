#!/bin/sh
# Detaches, in the mount namespace that this runs in, what the machine's own engines and station have mounted. A new
# namespace has a copy of it all, and who looks for a mount by its path would take that for the tests' own: mkfs for the
# pool's file, LXD for its pool, set-up for lxcfs.
set -eu
awk '{ print $5 }' /proc/self/mountinfo |
  grep -E '^/(run|var/run|var/snap/lxd|var/lib/(containerd|docker|gantry|incus|lxc|lxcfs|lxd))(/|$)' |
  sort -r | while read -r target; do
  # Blanks and the like are octal there.
  umount -l "$(printf '%b' "$target")" || true
done
