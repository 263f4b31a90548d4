import type { ImageRemoveItem, ImageRemoveRequest } from "../../api/image-remove.ts";
import type { Engine } from "../../engines/engine.ts";
import { hasCode, messageOf } from "../../errors.ts";
import type { Handler } from "../../tasks/handler.ts";
import { taggedName } from "../planning/image-reference.ts";
import { shownTag, tagsOf } from "../planning/removed-tag.ts";
import type { KindOptions } from "./options.ts";

/**
 * Removes images one by one; each is a step, and what is removed stays removed. An item that fails does not stop the
 * others: the task then ends as error and says which. A cancel stops between two items.
 */
export function imageRemoveHandler(options: KindOptions): Handler {
  return {
    async run(context) {
      const items = itemsOf(context.params as ImageRemoveRequest);
      await options.authorize(context.user, "image:remove");
      const failures: string[] = [];
      for (const [index, item] of items.entries()) {
        context.progress(Math.floor((100 * index) / items.length), `Remove image ${index + 1} of ${items.length}`);
        const { engine } = options.inventory.require(item.type);
        const found = await context.step(`find ${index}`, null, () => find(engine, item));
        const failure = await context.step(`remove ${index}`, null, async () => {
          const name = `${item.image}:${item.tag}`;
          const failed = "failure" in found ? found.failure : await remove(engine, name, found.reference);
          const state = failed === null ? "success" : "error";
          options.announce("image", context.user, { action: "delete", state, type: item.type, name: item.image });
          return failed;
        });
        if (failure) failures.push(failure);
      }
      if (failures.length === 0) return undefined;
      const count = items.length > 1 ? `${failures.length} of ${items.length} images were not removed: ` : "";
      return { result: 1, error: `${count}${failures.join(" ")}` };
    },
  };
}

export function itemsOf(request: ImageRemoveRequest): ImageRemoveItem[] {
  return Array.isArray(request) ? request : [request];
}

/** What is to be removed: a tag, or an image that has none. */
type Found = { reference: string } | { failure: string };

/** An id says which image is meant; the name decides which of its tags goes, and must be one of them. */
async function find(engine: Engine, item: ImageRemoveItem): Promise<Found> {
  const name = taggedName(item);
  const image = await engine.images.get(item.id);
  if (!image || !isId(image.id, item.id))
    return { failure: `There is no image with the id ${item.id} (${name}) on this host.` };
  const asked = tagsOf(item);
  if (asked.length === 0 && image.tags.length === 0) return { reference: image.id };
  const reference = asked.find((tag) => image.tags.includes(tag));
  if (reference !== undefined) return { reference };
  const has = image.tags.map((tag) => shownTag(item.type, tag)).join(", ");
  return { failure: `The image ${item.id} has no tag ${name} (it has ${has || "none"}).` };
}

/** Answers why it was not removed, or null. What is gone was removed by an earlier try, or has been by somebody else. */
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

/** An engine also finds images by name: only the id counts here. */
function isId(id: string, asked: string): boolean {
  const bare = asked.replace(/^sha256:/, "");
  return bare.length >= 12 && id.replace(/^sha256:/, "").startsWith(bare);
}
