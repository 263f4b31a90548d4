import { readdir, readFile, rename } from "node:fs/promises";

import { AppError, invalid } from "../../../errors.ts";
import { replacePaths, readConfig, settingsOf, writeConfig } from "../files/config-file.ts";
import { exists } from "../../../util/exists.ts";
import { codeOf, nameTaken } from "../failures.ts";
import { isContainerName, type Layout } from "../files/layout.ts";
import { isSocketName } from "../process/running-containers.ts";

/**
 * Gives a stopped container's folder another name; which replaces nothing. Its configuration names the folder: that is
 * put right afterwards, by the next start of the station when this one dies in between. Its host name stays.
 */
export async function renameContainer(layout: Layout, name: string, to: string): Promise<void> {
  if (!isContainerName(to)) throw invalid("name", "must not begin with a dot or contain a slash.");
  if (!isSocketName(layout, to)) throw invalid("name", `is too long for containers in ${layout.path}.`);
  const config = await readConfig(layout, name);
  if (!ownRootfs(layout, config, name)) {
    throw new AppError("conflict", `The LXC container ${name} has its files elsewhere: it cannot be renamed.`);
  }
  try {
    await rename(layout.home(name), layout.home(to));
  } catch (error) {
    throw ["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(codeOf(error)) ? nameTaken(to, error) : error;
  }
  await writeConfig(layout, to, replacePaths(config, layout.home(name), layout.home(to)));
}

/** Finishes renames of a station that was killed between the folder's and the configuration's. */
export async function finishRenames(layout: Layout): Promise<void> {
  for (const name of (await readdir(layout.path).catch(() => [])).filter(isContainerName)) {
    const config = await readFile(layout.config(name), "utf8").catch(() => "");
    const place = settingsOf(config, "lxc.rootfs.path").at(-1)?.replace(/^\w+:/, "") ?? "";
    const former = place.startsWith(`${layout.path}/`) ? place.slice(layout.path.length + 1).split("/")[0] : undefined;
    if (former === undefined || former === name || (await exists(layout.home(former)))) continue;
    await writeConfig(layout, name, replacePaths(config, layout.home(former), layout.home(name)));
  }
}

function ownRootfs(layout: Layout, config: string, name: string): boolean {
  const place = settingsOf(config, "lxc.rootfs.path").at(-1)?.replace(/^\w+:/, "") ?? "";
  return place.startsWith(`${layout.home(name)}/`);
}
