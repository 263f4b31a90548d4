import { AppError, hasCode } from "../../../errors.ts";
import type { Image, Images } from "../../images.ts";
import { reasonOf } from "../failures.ts";
import type { DockerHttp } from "../client/http.ts";
import { pullImage } from "./pull.ts";

interface DockerImage {
  Id: string;
  RepoTags?: string[] | null;
  Size: number;
}

/** Returns the images of one Docker. */
export function createImages(http: DockerHttp): Images {
  async function list(signal?: AbortSignal): Promise<Image[]> {
    const images = await http.json<DockerImage[]>({ path: "/images/json", signal });
    return images.map(toImage);
  }

  async function get(reference: string, signal?: AbortSignal): Promise<Image | undefined> {
    try {
      return toImage(await http.json<DockerImage>({ path: `${imagePath(reference)}/json`, signal }));
    } catch (error) {
      if (hasCode(error, "not_found")) return undefined;
      throw error;
    }
  }

  /**
   * Removes a tag, and the image with its last one. The last one is removed by the image's id: by the tag Docker would
   * only untag an image that others are built on.
   */
  async function remove(reference: string, signal?: AbortSignal): Promise<void> {
    const image = await get(reference, signal);
    try {
      const target = image?.tags.length === 1 ? image.id : reference;
      await drop(target, signal).catch((error: unknown) => {
        // It has got another name since, or has one by digest.
        if (target !== reference && /is referenced in/.test(reasonOf(error))) return drop(reference, signal);
        throw error;
      });
    } catch (error) {
      if (hasCode(error, "not_found"))
        throw new AppError("not_found", `Docker has no image ${reference}.`, { cause: error });
      throw error;
    }
  }

  async function drop(reference: string, signal?: AbortSignal): Promise<void> {
    await http.json({ method: "DELETE", path: imagePath(reference), signal });
  }

  return { list, get, remove, pull: (reference, options) => pullImage(http, reference, options) };
}

function imagePath(reference: string): string {
  return `/images/${encodeURIComponent(reference)}`;
}

function toImage(image: DockerImage): Image {
  const tags = (image.RepoTags ?? []).filter((tag) => tag !== "<none>:<none>");
  return { id: image.Id, tags, size: image.Size };
}
