import { type ImageRemoveItem, ImageRemoveRequest } from "../../api/image-remove.ts";
import type { Engine } from "../../engines/engine.ts";
import { hasCode, messageOf } from "../../errors.ts";
import { taggedName } from "../planning/image-reference.ts";
import { refuseHalfNames, requestedTag, tagsOf } from "../planning/removed-tag.ts";
import { imageKeys } from "../planning/resource-keys.ts";
import { storedRequest } from "./stored-request.ts";
import { defineTaskKind, type TaskRun } from "./task-kind.ts";
import { exclusiveLocks } from "./task-plan.ts";

/**
 * Removes images one by one; each is a step, and what is removed stays removed. An item that fails does not stop the
 * others: the task then ends as error and says which. A cancel stops between two items.
 */
export const imageRemove = defineTaskKind({
  kind: "image_remove",
  category: "image_remove",
  verb: "image:remove",
  lane: "quick",
  request: storedRequest(ImageRemoveRequest),

  /** The image is locked as well as the tags: it goes with its last one, whichever that is. */
  async plan(request) {
    refuseHalfNames(request);
    const items = itemsOf(request);
    const names = items.map(taggedName);
    const keys = new Set(items.flatMap((item) => imageKeys(item.type, [item.id, ...tagsOf(item)])));
    return {
      engines: [...new Set(items.map((item) => item.type))],
      name: names.length > 1 ? `${names[0]} (+${names.length - 1})` : (names[0] ?? ""),
      locks: exclusiveLocks([...keys]),
      creates: null,
      ports: [],
    };
  },

  async run({ request, context, dependencies }) {
    const items = itemsOf(request);
    await dependencies.authorize(context.user, "image:remove");
    const failures: string[] = [];
    for (const [index, item] of items.entries()) {
      context.progress(Math.floor((100 * index) / items.length), `Remove image ${index + 1} of ${items.length}`);
      const failure = await removeItem({ request: item, context, dependencies }, index);
      if (failure) failures.push(failure);
    }
    if (failures.length === 0) return undefined;
    const count = items.length > 1 ? `${failures.length} of ${items.length} images were not removed: ` : "";
    return { result: 1, error: `${count}${failures.join(" ")}` };
  },
});

/** Returns why the item was not removed, or null. */
async function removeItem(
  { request: item, context, dependencies }: TaskRun<ImageRemoveItem>,
  index: number,
): Promise<string | null> {
  const { engine } = dependencies.inventory.require(item.type);
  const found = await context.step(`find ${index}`, null, () => find(engine, item));
  return context.step(`remove ${index}`, null, async () => {
    const name = `${item.image}:${item.tag}`;
    const failed = "failure" in found ? found.failure : await remove(engine, name, found.reference);
    const state = failed === null ? "success" : "error";
    dependencies.writeEvent("image", context.user, { action: "delete", state, type: item.type, name: item.image });
    return failed;
  });
}

function itemsOf(request: ImageRemoveRequest): ImageRemoveItem[] {
  return Array.isArray(request) ? request : [request];
}

/** What the engine is asked to remove: a tag, or an image that has none; or why nothing can be removed. */
type Found = { reference: string } | { failure: string };

/** Finds what an item means: its id says which image, and its name which of the image's tags goes. */
async function find(engine: Engine, item: ImageRemoveItem): Promise<Found> {
  const name = taggedName(item);
  const image = await engine.images.get(item.id);
  if (!image || !isId(image.id, item.id))
    return { failure: `There is no image with the id ${item.id} (${name}) on this host.` };
  const asked = tagsOf(item);
  if (asked.length === 0 && image.tags.length === 0) return { reference: image.id };
  const reference = asked.find((tag) => image.tags.includes(tag));
  if (reference !== undefined) return { reference };
  const has = image.tags.map((tag) => requestedTag(item.type, tag)).join(", ");
  return { failure: `The image ${item.id} has no tag ${name} (it has ${has || "none"}).` };
}

/** Returns why it was not removed, or null. An image that is gone was removed by an earlier try, or by somebody else. */
async function remove(engine: Engine, name: string, reference: string): Promise<string | null> {
  try {
    await engine.images.remove(reference);
    return null;
  } catch (error) {
    if (hasCode(error, "engine_unavailable")) throw error;
    if (hasCode(error, "not_found")) return null;
    return `${name}: ${messageOf(error)}`;
  }
}

/** Tells whether a text is this id, or its beginning: engines find images by name too, but only the id counts here. */
function isId(id: string, asked: string): boolean {
  const bare = asked.replace(/^sha256:/, "");
  return bare.length >= 12 && id.replace(/^sha256:/, "").startsWith(bare);
}
