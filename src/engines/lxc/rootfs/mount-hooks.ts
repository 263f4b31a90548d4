import { type Settings, settingsOf } from "../files/config-file.ts";
import { folderName, imageName } from "../files/layout.ts";

/**
 * LXC mounts a root file system with the owners of a container only from a folder. So one that is in a file is mounted
 * there by hooks, just before LXC needs it, and taken away from the host's mounts as soon as the container has its own:
 * both end with the container. The hooks find the container's folder by themselves, so that they are right also in what
 * lxc-copy makes. LXC hands them to a shell behind the word `exec`, and appends words of its own.
 *
 * No hook of the end takes the mount away when a start has failed in between (`unmountLeftover` does): LXC runs those when
 * the container may be starting again already.
 */
const hooks: Readonly<Record<string, string>> = {
  // What a start that was killed has left would hide the file.
  "lxc.hook.pre-start": inHome(
    `umount -l ${folderName} 2>/dev/null; exec mount -o loop,nodev ${imageName} ${folderName}`,
  ),
  "lxc.hook.start-host": inHome(`exec umount -l ${folderName}`),
  "lxc.hook.clone": inHome(`exec cp -a --sparse=always "../$LXC_SRC_NAME/${imageName}" .`),
};

function inHome(commands: string): string {
  return `sh -c 'cd "\${LXC_CONFIG_FILE%/*}" || exit; ${commands}' #`;
}

/** Returns the settings of the hooks. */
export function rootHookLines(): string[] {
  return Object.entries(hooks).map(([name, command]) => `${name} = ${command}`);
}

/** Returns the hooks of a configuration with these added, or taken out. */
export function rootHookSettings(config: string, wanted: boolean): Settings {
  return Object.fromEntries(
    Object.entries(hooks).map(([name, command]) => {
      const others = settingsOf(config, name).filter((line) => line !== command);
      return [name, wanted ? [...others, command] : others];
    }),
  );
}

/** Returns whether a configuration has the hook that mounts the file. */
export function hasRootHooks(config: string): boolean {
  return settingsOf(config, "lxc.hook.pre-start").includes(hooks["lxc.hook.pre-start"] as string);
}
