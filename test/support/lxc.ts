import { chmodSync, copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { run } from "../engines/commands.ts";
import { daemonPid, startDaemon } from "./daemon.ts";
import { testEngines } from "./engines.ts";
import { confineContainers } from "./lxd.ts";

/** LXC in this run's private namespaces; only tests that need it start it. */
export interface TestLxc {
  /** Folder of the containers. */
  path: string;
  bridge: string;
  /** Where the bridge's DHCP server looks for reservations. */
  hostsDir: string;
}

const leases = "/var/lib/misc";
const settings = "/etc/lxc";

/** What set-up and lxc-net do: a bridge with a DHCP server that reads reservations, and a folder for the containers. */
export async function startLxc(): Promise<TestLxc> {
  const { folder } = testEngines();
  const lxc = { path: join(folder, "lxc"), bridge: "lxcbr0", hostsDir: join(settings, "gantry-dhcp-hosts") };
  if (daemonPid("lxc-dnsmasq") !== undefined) return lxc;
  chmodSync(folder, 0o711);
  mkdirSync(lxc.path, { recursive: true });
  confineContainers();
  await coverHostFolders();
  mkdirSync(lxc.hostsDir, { recursive: true });
  await startBridge(lxc);
  return lxc;
}

/** The machine's own leases and settings stay as they are. */
async function coverHostFolders(): Promise<void> {
  const copy = join(testEngines().folder, "default.conf");
  if (existsSync(join(settings, "default.conf"))) copyFileSync(join(settings, "default.conf"), copy);
  for (const place of [leases, settings]) {
    mkdirSync(place, { recursive: true });
    await run("mount", "-t", "tmpfs", "tmpfs", place);
  }
  if (existsSync(copy)) copyFileSync(copy, join(settings, "default.conf"));
  for (const name of ["subuid", "subgid"]) await coverFile(join("/etc", name));
}

/** What the machine's file says, in a copy of its own. */
async function coverFile(file: string): Promise<void> {
  const copy = join(testEngines().folder, basename(file));
  if (!existsSync(file)) writeFileSync(file, "");
  copyFileSync(file, copy);
  await run("mount", "--bind", copy, file);
}

async function startBridge({ bridge, hostsDir }: TestLxc): Promise<void> {
  await run("ip", "link", "add", bridge, "type", "bridge");
  await run("ip", "address", "add", "10.0.3.1/24", "broadcast", "+", "dev", bridge);
  await run("ip", "link", "set", bridge, "up");
  const file = join(leases, `dnsmasq.${bridge}.leases`);
  mkdirSync("/run/lxc", { recursive: true });
  await startDaemon(
    "lxc-dnsmasq",
    [
      "dnsmasq",
      "--keep-in-foreground",
      "--conf-file=/dev/null",
      "--user=root",
      "--pid-file=/run/lxc/dnsmasq.pid",
      "--no-ping",
      "--bind-interfaces",
      "--listen-address=10.0.3.1",
      `--interface=${bridge}`,
      "--except-interface=lo",
      "--dhcp-range=10.0.3.2,10.0.3.179",
      "--dhcp-lease-max=178",
      "--dhcp-no-override",
      "--dhcp-authoritative",
      `--dhcp-leasefile=${file}`,
      `--dhcp-hostsdir=${hostsDir}`,
    ],
    { ready: () => existsSync(file) },
  );
}
