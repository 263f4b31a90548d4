import { Type } from "typebox";

const closed = { additionalProperties: false };

const unused = Type.Optional(Type.Literal("", { description: "Only empty" }));

/**
 * What the original station's own page sends beside the documented fields. It has no meaning here, so only the page's own
 * forms are taken: whoever means something else by it must not believe that it was done.
 */
export const pageFields = {
  changed: Type.Optional(
    Type.Unsafe<Record<string, unknown>>({
      type: "object",
      description: "Which parts of the page's form were changed",
    }),
  ),
  image_from: Type.Optional(
    Type.Object(
      {
        from: Type.Optional(Type.String({ maxLength: 64, description: "Where the page took the image from" })),
        local: unused,
        nas: unused,
        upload_folder: unused,
      },
      closed,
    ),
  ),
  restart: Type.Optional(
    Type.Object(
      { checked: Type.Optional(Type.Boolean()), required: Type.Optional(Type.Boolean()) },
      { ...closed, description: "An object of checked and required; whether it starts at boot is autostart" },
    ),
  ),
};
