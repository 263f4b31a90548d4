import { readFile } from "node:fs/promises";

/** Where lxc-net keeps the process id of its dnsmasq. */
const pidFile = "/run/lxc/dnsmasq.pid";

/**
 * Has the bridge's DHCP server read all reservations again: it sees new ones by itself, and keeps those whose files are
 * gone until then. Does nothing where lxc-net runs none.
 */
export async function rereadReservations(): Promise<void> {
  const pid = Number(await readFile(pidFile, "latin1").catch(() => "0"));
  if (!Number.isInteger(pid) || pid <= 1) return;
  const name = await readFile(`/proc/${pid}/comm`, "latin1").catch(() => "");
  if (name.trim() !== "dnsmasq") return;
  try {
    process.kill(pid, "SIGHUP");
  } catch {
    // It ended meanwhile, and reads them at its next start.
  }
}
