import { accessSync, constants } from "node:fs";
import { isAbsolute, join } from "node:path";

const folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** The PATH of every program that the station runs. */
export const systemPath = folders.join(":");

/** Returns the absolute path of a program in the folders of `systemPath`, or undefined if it is not installed. */
export function findProgram(name: string): string | undefined {
  const paths = isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
