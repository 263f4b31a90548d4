import { appendFileSync, existsSync, readFileSync } from "node:fs";

const first = 1_000_000;
const count = 1_000_000_000;

/**
 * Gives root a range of user and group IDs in subuid(5) and subgid(5), unless it has one. LXD maps the users of its
 * containers to IDs of that range.
 */
export function ensureIdRanges(files: readonly string[] = ["/etc/subuid", "/etc/subgid"]): void {
  for (const file of files) {
    const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
    if (lines.some((line) => /^(root|0):/.test(line))) continue;
    const ends = lines.map((line) => line.split(":").map(Number)).map(([, start = 0, size = 0]) => start + size);
    const start = Math.max(first, ...ends.filter(Number.isFinite));
    const newline = lines.length === 0 || lines.at(-1) === "" ? "" : "\n";
    appendFileSync(file, `${newline}root:${start}:${count}\n`);
  }
}
