import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mountCgroups } from "../cgroups.ts";
import { runCommand, systemEnvironment } from "../command.ts";
import { findProgram } from "../../util/process/system-path.ts";
import type { DaemonFolders } from "../daemon.ts";
import type { EngineCondition, EngineSetup, StartContext } from "../engine-setup.ts";
import { isBridgeUp, isBridgeUsed, startBridge, isBridgeOurs, stopBridge } from "./bridge.ts";
import { bridgeName, completeSettings, readSettings } from "./settings.ts";
import { lxcRequirements, systemTools } from "../requirements.ts";

/**
 * Makes the set-up of LXC. LXC has no daemon: set-up provides its programs, starts its bridge, and starts containers with
 * autostart once per boot. `path` is the folder of the containers, if it is not the one that LXC's own service uses.
 */
export function lxcSetup(path: string | undefined, folders: DaemonFolders): EngineSetup {
  const startedFile = join(folders.pids, "lxc-autostart");
  // The file holds the id of the boot in which containers were started, because its folder may survive a reboot.
  const wereStarted = (): boolean => existsSync(startedFile) && readFileSync(startedFile, "utf8") === bootId();

  return {
    title: "LXC",
    needs: lxcRequirements,
    tools: systemTools,

    async inspect(): Promise<EngineCondition> {
      if (!findProgram("lxc-start")) return "missing";
      return hasNetwork() && (path === undefined || wereStarted()) ? "ready" : "stopped";
    },

    async start(context) {
      if (!hasNetwork() || context.justInstalled) {
        if (context.systemd) await startServices(context);
        else await startBridgeOnly(context);
      }
      if ((context.systemd && path === undefined) || wereStarted()) return;
      mkdirSync(folders.pids, { recursive: true });
      writeFileSync(startedFile, bootId());
      await startContainers(path, context);
    },

    stop,
    bridges: () => [bridgeName(readSettings())],
  };
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8");
}

/** Tells whether containers have a network. If the administrator has switched the bridge off, they have another one. */
function hasNetwork(): boolean {
  return readSettings()["USE_LXC_BRIDGE"] === "false" || isBridgeUp();
}

async function startServices({ env, log }: StartContext): Promise<void> {
  // A bridge that the package has just started must be restarted to get the settings; one in use must not be.
  const action = isBridgeUp() && isBridgeUsed() ? "start" : "restart";
  if (action === "restart") completeSettings();
  log("Starting LXC's bridge with systemctl.");
  await runCommand(["systemctl", "enable", "lxc-net", "lxc"], env);
  await runCommand(["systemctl", action, "lxc-net"], env);
  await runCommand(["systemctl", "start", "lxc"], env);
}

async function startBridgeOnly({ folders, env, log }: StartContext): Promise<void> {
  await mountCgroups(env);
  completeSettings();
  log(`Starting LXC's bridge ${bridgeName(readSettings())}; ${folders.stopCommand} stops it.`);
  await startBridge(folders, env);
}

/** Starts containers with autostart, as LXC's service does after a boot. There may be no such service, or for another path. */
async function startContainers(path: string | undefined, { env, log }: StartContext): Promise<void> {
  if (readSettings()["LXC_AUTO"] === "false") return;
  // Containers of the group onboot come first, then those without a group.
  const args = [...(path === undefined ? [] : ["-P", path]), "-g", "onboot,"];
  // lxc-autostart fails if there is no such container.
  const listed = await runCommand(["lxc-autostart", "-L", ...args], env).catch(() => "");
  if (listed.trim() === "") return;
  await runCommand(["lxc-autostart", ...args], env).catch(() => {
    log("Not all LXC containers with autostart could be started; see their logs.");
  });
}

async function stop(folders: DaemonFolders, log: (line: string) => void): Promise<string[]> {
  const bridge = bridgeName(readSettings());
  if (await stopBridge(folders, systemEnvironment({}))) return [`the bridge ${bridge}`];
  if (isBridgeOurs(folders)) log(`LXC's bridge ${bridge} stays, because containers are on it.`);
  return [];
}
