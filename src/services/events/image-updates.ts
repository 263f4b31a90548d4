import type { EngineType } from "../../engines/engine.ts";
import { reservedNames } from "../accounts/reserved-names.ts";
import type { WriteEvent } from "./event-writer.ts";

/** Milliseconds. A build or a pull changes many images. */
const quiet = 1000;
/** Engines' words for changes of the list of images. */
const changes = new Set(["pull", "tag", "untag", "delete", "import", "load", "build", "prune", "created", "updated"]);

/** Tells that the local images of an engine have changed: at once, and then at most once a second. */
export function createImageUpdates(writeEvent: WriteEvent): (type: EngineType, action: string) => void {
  const resting = new Map<EngineType, { again: boolean }>();

  function writeUpdate(type: EngineType): void {
    writeEvent("image", reservedNames.system, { action: "update", category: "local", type });
    const rest = { again: false };
    resting.set(type, rest);
    setTimeout(() => {
      resting.delete(type);
      if (rest.again) writeUpdate(type);
    }, quiet).unref();
  }

  return (type, action) => {
    if (!changes.has(action)) return;
    const rest = resting.get(type);
    if (rest) rest.again = true;
    else writeUpdate(type);
  };
}
