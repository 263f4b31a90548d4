import { type ImageRemoveItem, type ImageRemoveRequest, noTag } from "../../api/image-remove.ts";
import type { EngineType } from "../../engines/engine.ts";
import { formatImageName, parseImageName } from "../../engines/image-name.ts";
import { invalid } from "../../errors.ts";
import { familiarName, tagOf, taggedName } from "./image-reference.ts";

/** Throws `invalid` for an item where only one of `image` and `tag` is `<none>`. */
export function refuseHalfNames(request: ImageRemoveRequest): void {
  for (const [index, { image, tag }] of [request].flat().entries()) {
    if ((image === noTag) === (tag === noTag)) continue;
    const item = Array.isArray(request) ? `[${index}].` : "";
    const field = image === noTag ? "tag" : "image";
    throw invalid(`${item}${field}`, `must be ${noTag} too: an image without tags has neither`);
  }
}

/**
 * Returns the tags that a request to remove an image can mean, as its engine spells them; none for an image without
 * tags. LXD's tag is an alias, where `latest` goes without saying.
 */
export function tagsOf(item: ImageRemoveItem): string[] {
  return item.image === noTag ? [] : tagsByType[item.type](item);
}

const tagsByType: Readonly<Record<EngineType, (item: ImageRemoveItem) => string[]>> = {
  docker: (item) => [familiarName(taggedName(item))],
  lxc: (item) => [taggedName(item)],
  lxd: ({ image, tag }) => (tagOf(tag) === "latest" ? [`${image}/latest`, image] : [`${image}/${tag}`]),
};

/** Returns an image's tag as a request spells it: NAME:TAG. */
export function requestedTag(type: ImageRemoveItem["type"], tag: string): string {
  return formatImageName(parseImageName(type, tag));
}
