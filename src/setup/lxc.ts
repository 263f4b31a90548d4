import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mountCgroups } from "./cgroups.ts";
import { findCommand, runCommand, systemEnvironment } from "./command.ts";
import type { DaemonFolders } from "./daemon.ts";
import type { EngineLook, EngineSetup, StartContext } from "./engine-setup.ts";
import { bridgeIsUp, bridgeIsUsed, startBridge, startedBridge, stopBridge } from "./lxc-bridge.ts";
import { bridgeOf, completeSettings, readSettings } from "./lxc-settings.ts";
import { lxcNeeds, systemTools } from "./needs.ts";

/**
 * LXC is no daemon: it is its programs, a bridge, and whoever starts containers after a boot. `path`: where containers are
 * kept, if not where LXC's own service looks for them.
 */
export function lxcSetup(path: string | undefined, folders: DaemonFolders): EngineSetup {
  const mark = join(folders.pids, "lxc-autostart");
  // It says in which boot they were started, for its folder may be one that lasts.
  const areStarted = (): boolean => existsSync(mark) && readFileSync(mark, "utf8") === bootId();

  return {
    title: "LXC",
    needs: lxcNeeds,
    tools: systemTools,

    async look(): Promise<EngineLook> {
      if (!findCommand("lxc-start")) return "missing";
      return hasNetwork() && (path === undefined || areStarted()) ? "ready" : "stopped";
    },

    async start(context) {
      if (!hasNetwork() || context.fresh) {
        if (context.systemd) await startServices(context);
        else await startAlone(context);
      }
      if ((context.systemd && path === undefined) || areStarted()) return;
      mkdirSync(folders.pids, { recursive: true });
      writeFileSync(mark, bootId());
      await startContainers(path, context);
    },

    stop,
    bridges: () => [bridgeOf(readSettings())],
  };
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8");
}

/** Also where its administrator has switched the bridge off: then there is another network for it. */
function hasNetwork(): boolean {
  return readSettings()["USE_LXC_BRIDGE"] === "false" || bridgeIsUp();
}

async function startServices({ env, log }: StartContext): Promise<void> {
  // One that its package has just started must start again to know of the settings; one in use stays as it is.
  const action = bridgeIsUp() && bridgeIsUsed() ? "start" : "restart";
  if (action === "restart") completeSettings();
  log("Starting LXC's bridge with systemctl.");
  await runCommand(["systemctl", "enable", "lxc-net", "lxc"], env);
  await runCommand(["systemctl", action, "lxc-net"], env);
  await runCommand(["systemctl", "start", "lxc"], env);
}

async function startAlone({ folders, env, log }: StartContext): Promise<void> {
  await mountCgroups(env);
  completeSettings();
  log(`Starting LXC's bridge ${bridgeOf(readSettings())}; ${folders.stopCommand} stops it.`);
  await startBridge(folders, env);
}

/** What LXC's service does after a boot, where there is none or it looks elsewhere. */
async function startContainers(path: string | undefined, { env, log }: StartContext): Promise<void> {
  if (readSettings()["LXC_AUTO"] === "false") return;
  // Those of the group onboot, then those of none.
  const args = [...(path === undefined ? [] : ["-P", path]), "-g", "onboot,"];
  // It fails where there is none.
  const listed = await runCommand(["lxc-autostart", "-L", ...args], env).catch(() => "");
  if (listed.trim() === "") return;
  await runCommand(["lxc-autostart", ...args], env).catch(() => {
    log("Not all LXC containers with autostart could be started; see their logs.");
  });
}

async function stop(folders: DaemonFolders, log: (line: string) => void): Promise<string[]> {
  const bridge = bridgeOf(readSettings());
  if (await stopBridge(folders, systemEnvironment({}))) return [`the bridge ${bridge}`];
  if (startedBridge(folders)) log(`LXC's bridge ${bridge} stays, because containers are on it.`);
  return [];
}
