import type { ImageDownloadRequest } from "../../api/create.ts";
import { hasCode } from "../../errors.ts";
import type { Handler } from "../../tasks/handler.ts";
import { ensureImage } from "./image.ts";
import type { KindOptions } from "./options.ts";

/** Pulls an image, or a newer one of the same tag. After a crash it begins again; finished layers are not fetched twice. */
export function imageDownloadHandler(options: KindOptions): Handler {
  return {
    async run(context) {
      const request = context.params as ImageDownloadRequest;
      await options.authorize(context.user, "image:download");
      const { engine } = options.inventory.require(request.type);
      const { type, image: name, tag, repository } = request;
      const tell = (state: "success" | "error"): void =>
        options.announce("image", context.user, { name, repository, state, tag, action: "download", type });
      try {
        await ensureImage(options, context, { engine, source: await options.images.resolve(request), refresh: true });
      } catch (error) {
        // What is stopped, or tried again when the engine is back, has not failed.
        if (!context.signal.aborted && !hasCode(error, "engine_unavailable")) tell("error");
        throw error;
      }
      tell("success");
      return undefined;
    },
  };
}
