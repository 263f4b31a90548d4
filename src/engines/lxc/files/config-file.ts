import { readFile, stat } from "node:fs/promises";

import { joinLines } from "../../shared/lxc-config.ts";
import { codeOf, notFound } from "../failures.ts";
import type { Layout } from "./layout.ts";
import { replaceFile } from "./replace-file.ts";

/** Returns the configuration of a container. Throws `not_found`. */
export async function readConfig(layout: Layout, name: string): Promise<string> {
  try {
    return await readFile(layout.config(name), "utf8");
  } catch (error) {
    throw codeOf(error) === "ENOENT" ? notFound(name) : error;
  }
}

/** Replaces a file, whole or not at all; the new one is on the disk when it resolves. */
export async function writeConfig(layout: Layout, name: string, text: string): Promise<void> {
  const file = layout.config(name);
  const { mode } = await stat(file);
  await replaceFile(file, text, mode & 0o777);
}

/** Returns the values of a setting, in the order of the file. */
export function settingsOf(config: string, name: string): string[] {
  const pattern = new RegExp(`^\\s*${name.replaceAll(".", "\\.")}\\s*=\\s*(\\S.*?)\\s*$`, "gm");
  return [...config.matchAll(pattern)].flatMap(([, value]) => value ?? []);
}

/** Values by setting: several where LXC takes several, undefined or [] where the setting is left out. */
export type Settings = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Returns a configuration with these settings, and no others of their names. */
export function withSettings(config: string, settings: Settings): string {
  const kept = config.split("\n").filter((line) => !Object.hasOwn(settings, line.split("=")[0]?.trim() ?? ""));
  const added = Object.entries(settings).flatMap(([name, value = []]) =>
    [value].flat().map((one) => joinLines([`${name} = ${one}`]).trimEnd()),
  );
  return `${[...kept.filter((line) => line !== ""), ...added].join("\n")}\n`;
}

/** Returns a configuration whose paths below one folder are below another. */
export function replacePaths(config: string, from: string, to: string): string {
  return config.replaceAll(`${from}/`, `${to}/`);
}
