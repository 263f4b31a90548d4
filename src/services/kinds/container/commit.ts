import { Type } from "typebox";
import { imageKeys } from "../../planning/resource-keys.ts";
import { storedRequest } from "../stored-request.ts";
import { targetFields } from "./target.ts";
import { defineContainerVerb } from "./verb.ts";

const CommitRequest = Type.Object({
  ...targetFields,
  reference: Type.String(),
  author: Type.String(),
  message: Type.String(),
});

/**
 * Makes an image of a container, whose name it locks too. Returns the image's id. Done when another image has the name
 * than before, which is written down before it begins.
 */
export const containerCommit = defineContainerVerb({
  kind: "container_commit",
  verb: "container:commit",
  request: storedRequest(CommitRequest),
  locks: ({ type, reference }) => imageKeys(type, [reference]),
  async act({ engine, container, request, context }) {
    const { reference, author, message } = request;
    await context.step("before", null, async () => (await engine.images.get(reference))?.id ?? "");
    return context.step("commit", null, () =>
      engine.containers.commit(container.id, { reference, author, message }, context.signal),
    );
  },
  async isDone({ engine, request, context }) {
    const before = await context.step("before", null, async (): Promise<string | null> => null);
    const image = await engine.images.get(request.reference);
    return before !== null && image !== undefined && image.id !== before;
  },
});
