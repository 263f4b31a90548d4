import { Type } from "typebox";

const closed = { additionalProperties: false };

const unused = Type.Optional(Type.Literal("", { description: "Only empty" }));

/**
 * Fields that the original station's page sends beside the documented ones. They have no meaning here, so only the
 * values that the page sends are accepted: a client that means something else by them must not believe that it was
 * done.
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
