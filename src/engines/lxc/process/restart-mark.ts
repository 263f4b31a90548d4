import { rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { exists } from "../../../util/exists.ts";
import type { Layout } from "../files/layout.ts";

/** A file beside a container's configuration: it was stopped for a change, and is started when that is made. */
export interface RestartMark {
  /** Writes that the container is to be started. */
  set(name: string): Promise<void>;
  /** Returns whether it is to be started. */
  isSet(name: string): Promise<boolean>;
  /** Deletes the mark; also called when a user starts or stops the container. */
  clear(name: string): Promise<void>;
}

/** Returns the marks of the containers below one LXC path. */
export function createRestartMark(layout: Layout): RestartMark {
  const file = (name: string): string => path.join(layout.home(name), "gantry.restart");
  return {
    set: (name) => writeFile(file(name), ""),
    isSet: (name) => exists(file(name)),
    clear: (name) => rm(file(name), { force: true }),
  };
}
