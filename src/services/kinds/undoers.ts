import type { EngineType } from "../../engines/engine.ts";
import { AppError } from "../../errors.ts";
import type { Undoer } from "../../tasks/handler.ts";
import type { OpenvzStore } from "../../storage/openvz-store.ts";
import type { KindOptions } from "./options.ts";

/** The closed table of undoers. An op that a release has written to a journal is never taken out. */
export function createUndoers(
  options: Pick<KindOptions, "inventory" | "marks" | "pins"> & {
    openvz: Pick<OpenvzStore, "forget">;
  },
): Record<string, Undoer> {
  const { inventory, marks, openvz, pins } = options;
  return {
    /** {engine, name}: the container of this name, if it bears the task's mark. */
    async remove_container(args, task) {
      const { engine: type, name } = args as { engine: EngineType; name: string };
      const { engine } = inventory.require(type);
      const found = await engine.containers.getByName(name);
      if (!found || !marks.isOurs(found.mark, task.id)) return;
      await engine.containers.remove(found.id);
      const left = await engine.containers.getById(found.id);
      if (left) throw new AppError("engine_failed", `${type} still has the container ${name}.`);
    },

    /** {engine}: the mounts of folders for the task's container, which is gone by now. */
    async release_folders({ engine }, task) {
      await pins.release(engine as string, task.id);
    },

    /** {container}: the record of the container of this UUID. */
    async openvz_forget({ container }) {
      await openvz.forget(container as string);
    },
  };
}
