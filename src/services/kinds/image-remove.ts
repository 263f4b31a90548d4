import type { ImageRemoveItem, ImageRemoveRequest } from "../../api/create.ts";
import type { Engine } from "../../engines/engine.ts";
import { hasCode, messageOf } from "../../errors.ts";
import type { Handler } from "../../tasks/handler.ts";
import { referencesOf } from "../image-reference.ts";
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
        const failure = await context.step(`remove ${index}`, null, async (repeated) => {
          const failed = await removeItem(engine, item, repeated);
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

/** Answers why it was not removed, or null. */
async function removeItem(engine: Engine, item: ImageRemoveItem, repeated: boolean): Promise<string | null> {
  const tag = `${item.image}:${item.tag}`;
  const image = await engine.images.get(item.id);
  if (!image || !isId(image.id, item.id))
    return repeated ? null : `There is no image with the id ${item.id} (${tag}) on this host.`;
  const reference = referencesOf(item).find((name) => image.tags.includes(name));
  if (repeated && reference === undefined && image.tags.length > 0) return null;
  try {
    // With other tags left only this one goes; the last one takes the image with it.
    await engine.images.remove(reference !== undefined && image.tags.length > 1 ? reference : image.id);
    return null;
  } catch (error) {
    if (hasCode(error, "engine_unavailable")) throw error;
    if (hasCode(error, "not_found")) return null;
    return `${tag}: ${messageOf(error)}`;
  }
}

/** An engine also finds images by name: only the id counts here. */
function isId(id: string, asked: string): boolean {
  const bare = asked.replace(/^sha256:/, "");
  return bare.length >= 12 && id.replace(/^sha256:/, "").startsWith(bare);
}
