import type { ContainerInfo } from "../../api/container-info.ts";
import type { ResourceAnswer } from "../../api/lifecycle.ts";
import type { Container, EngineType } from "../../engines/engine.ts";
import { hasCode } from "../../errors.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import type { LiveNumbers } from "../../numbers/live-numbers.ts";
import { containerInfo } from "../containers/container-info.ts";
import { containerOfTask, unknownContainer } from "../containers/find.ts";
import type { ContainerLookup, FoundContainer } from "../containers/lookup.ts";
import type { Marks } from "../containers/marks.ts";
import type { SharedFolders } from "../containers/mount-guard.ts";
import { numbersKey } from "../containers/numbers.ts";
import { containerSettings } from "../containers/container-settings.ts";
import type { ContainerPlace } from "../contract/services.ts";

export interface ContainerAnswerOptions {
  /** What is known of the containers of each engine. */
  inventory: Inventory;
  /** Knows what this station's tasks have made. */
  marks: Marks;
  /** Looks up a container as its engine has it now. */
  lookup: ContainerLookup;
  /** The shared folders that containers mount. */
  folders: SharedFolders;
  /** CPU, memory and traffic of containers. */
  numbers: Pick<LiveNumbers, "get">;
}

/** Describes containers after something was done with them. */
export interface ContainerAnswers {
  /** Returns a container as its engine has it now. Throws as `ContainerLookup`. */
  info(place: ContainerPlace): Promise<ContainerInfo>;
  /** Does the same for a container that may have gone with its end: then it is described as it was, and stopped. */
  infoAfter(type: EngineType, container: Container): Promise<ContainerInfo>;
  /** Returns the container that a task made, whatever bears its name by now. Throws `not_found`. */
  infoOfTask(type: EngineType, made: { task: number; name: string }): Promise<ContainerInfo>;
  /** Returns the settings of a container. Throws as `ContainerLookup`. */
  settings(place: ContainerPlace): Promise<ResourceAnswer>;
  /** Does the same for a container that was looked up. */
  settingsOf(place: ContainerPlace, found: FoundContainer): Promise<ResourceAnswer>;
}

/** Makes the functions that describe containers in answers. */
export function createContainerAnswers(options: ContainerAnswerOptions): ContainerAnswers {
  const { inventory, marks, lookup, folders, numbers } = options;

  async function info({ type, id }: ContainerPlace): Promise<ContainerInfo> {
    const { container } = await lookup({ type, id });
    return containerInfo(type, container, numbers.get(numbersKey(type, container.id), container.pid));
  }

  async function settingsOf(place: ContainerPlace, { container, view }: FoundContainer): Promise<ResourceAnswer> {
    const settings = await view.engine.containers.settings(container.id);
    const volumesFrom = settings.volumesFrom.map((id) => view.byId(id)?.name ?? id);
    return containerSettings(place.type, container, { ...settings, volumesFrom }, folders);
  }

  return {
    info,
    settingsOf,
    infoAfter: (type, container) =>
      info({ type, id: container.id }).catch((error: unknown) => {
        if (!hasCode(error, "not_found")) throw error;
        return containerInfo(type, { ...container, state: "stopped", pid: 0 });
      }),
    async infoOfTask(type, made) {
      const container = containerOfTask(inventory.require(type), marks, made);
      if (!container) throw unknownContainer(type, made.name);
      return info({ type, id: container.id });
    },
    settings: async (place) => settingsOf(place, await lookup(place)),
  };
}
