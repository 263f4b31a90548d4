import type { ImageDownloadRequest } from "../../api/create.ts";
import type { Handler } from "../../tasks/handler.ts";
import { asksOfImage } from "../access/task-authorization.ts";
import { ensureImage } from "./image.ts";
import type { KindOptions } from "./options.ts";

/** Pulls an image, or a newer one of the same tag. After a crash it begins again; finished layers are not fetched twice. */
export function imageDownloadHandler(options: KindOptions): Handler {
  return {
    async run(context) {
      const request = context.params as ImageDownloadRequest;
      const source = await options.images.resolve(request);
      await options.authorize(context.user, "image:download", asksOfImage(source));
      const { engine } = options.inventory.require(request.type);
      await ensureImage(options, context, { engine, source, refresh: true });
      return undefined;
    },
  };
}
