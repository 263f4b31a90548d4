import { AppError, hasCode } from "../../../errors.ts";
import { createMutex } from "../../../util/concurrency.ts";
import type { Image } from "../../images.ts";
import type { LxdHttp } from "../client/http.ts";
import type { Operations } from "../client/operations.ts";

/**
 * Returns what gives and takes aliases of images, one after the other: whether one is the last of its image must not
 * change between the look and the removal of the image.
 */
export function createImageAliases(http: LxdHttp, operations: Operations) {
  const alone = createMutex();

  /** Gives an image an alias. It may be an older image's: that one stays, without it. False: the image is gone. */
  function give(fingerprint: string, alias: string): Promise<boolean> {
    const body = { name: alias, target: fingerprint };
    return alone(async () => {
      if (!(await http.find(`/1.0/images/${fingerprint}`))) return false;
      try {
        await http.send({ method: "POST", path: "/1.0/images/aliases", body });
      } catch (error) {
        if (!hasCode(error, "conflict")) throw error;
        await http.send({ method: "PUT", path: aliasPath(alias), body });
      }
      return true;
    });
  }

  /** Takes an alias from its image, which goes with its last one; by anything else that finds it the image goes. */
  function take(find: () => Promise<Image | undefined>, alias: string, signal?: AbortSignal): Promise<void> {
    const missing = (cause?: unknown) => new AppError("not_found", `LXD has no image ${alias}.`, { cause });
    return alone(async () => {
      const image = await find();
      if (!image) throw missing();
      try {
        if (image.tags.includes(alias) && image.tags.length > 1) {
          await http.send({ method: "DELETE", path: aliasPath(alias), signal });
        } else await operations.run({ method: "DELETE", path: `/1.0/images/${image.id}` }, signal);
      } catch (error) {
        throw hasCode(error, "not_found") ? missing(error) : error;
      }
    });
  }

  return { give, take };
}

/** Returns the path of an alias in the API. */
export function aliasPath(alias: string): string {
  return `/1.0/images/aliases/${encodeURIComponent(alias)}`;
}
