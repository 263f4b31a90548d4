import { Type, type Static } from "typebox";
import { AppError } from "../../../errors.ts";
import type { ResourceKey } from "../../../tasks/resource-key.ts";
import { containerKey } from "../../planning/resource-keys.ts";
import { storedRequest } from "../stored-request.ts";
import { targetFields } from "./target.ts";
import { type Acting, defineContainerVerb } from "./verb.ts";

const RenameRequest = Type.Object({ ...targetFields, to: Type.String() });
type RenameRequest = Static<typeof RenameRequest>;

/** Gives a container another name, which it locks too. Returns the container's id, which may be another one by then. */
export const containerRename = defineContainerVerb({
  kind: "container_rename",
  verb: "container:rename",
  request: storedRequest(RenameRequest),
  locks: (request) => newKeys(request),
  creates: (request) => newKeys(request)[0] ?? null,
  act: rename,
  async isDone({ engine, request }) {
    return (await engine.containers.getByName(request.to))?.incarnation === request.incarnation;
  },
});

/** Returns the key of the new name; nothing if it is the old one. */
function newKeys({ type, name, to }: RenameRequest): ResourceKey[] {
  return name === to ? [] : [containerKey(type, to)];
}

/** Renames. The port claims go first: an engine that tells of the old name's end would have them released. */
async function rename({ engine, container, request, dependencies }: Acting<RenameRequest>): Promise<string> {
  if (container.name === request.to) return container.id;
  if (await engine.containers.getByName(request.to)) {
    throw new AppError("conflict", `The name ${request.to} is taken by another ${request.type} container.`);
  }
  const [from, to] = [containerKey(request.type, request.name), containerKey(request.type, request.to)];
  await dependencies.moveClaims(from, to);
  try {
    const id = await engine.containers.rename(container.id, request.to);
    await dependencies.inventory.view(request.type)?.refresh(id);
    return id;
  } catch (error) {
    await dependencies.moveClaims(to, from);
    throw error;
  }
}
