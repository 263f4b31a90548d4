import { Type, type Static, type TSchema } from "typebox";
import { ContainerType, ImageName, ImageTag } from "./create.ts";

/** The body of `image_remove`: QNAP's documents, chapter background. */

const closed = { additionalProperties: false };

/** The name and the tag of an image that has none. */
export const noTag = "<none>";

function orNoTag(schema: TSchema) {
  const { pattern, description } = schema as unknown as { pattern: string; description: string };
  const shown = `${description}, or ${noTag} of an image without tags`;
  return Type.String({ ...schema, pattern: `${pattern}|^${noTag}$`, description: shown });
}

export const ImageRemoveItem = Type.Object(
  {
    type: ContainerType,
    image: orNoTag(ImageName),
    tag: orNoTag(ImageTag),
    id: Type.String({
      pattern: "^[a-zA-Z0-9_][a-zA-Z0-9_.:-]{0,127}$",
      description: "An image's id: of this image the tag goes, and the image with its last one",
    }),
  },
  closed,
);
export type ImageRemoveItem = Static<typeof ImageRemoveItem>;

/** A list, or one object. Written as if/then so that an error names its field. */
export const ImageRemoveRequest = Type.Unsafe<ImageRemoveItem[] | ImageRemoveItem>({
  $id: "ImageRemoveRequest",
  type: ["array", "object"],
  if: { type: "array" },
  // oxlint-disable-next-line no-thenable
  then: Type.Array(ImageRemoveItem, { minItems: 1, maxItems: 1000 }),
  else: ImageRemoveItem,
});
export type ImageRemoveRequest = Static<typeof ImageRemoveRequest>;
