import { AppError, hasCode } from "../../errors.ts";
import type { Image, Images, PullOptions, RegistryLogin } from "../engine.ts";
import { parseImageName, registryHostOf } from "../image-name.ts";
import { pullFailure, reasonOf } from "./failures.ts";
import type { DockerHttp } from "./http.ts";
import { createPullMeter, type PullLine } from "./pull-meter.ts";

interface DockerImage {
  Id: string;
  RepoTags?: string[] | null;
  Size: number;
}

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

  async function pull(reference: string, options: PullOptions): Promise<void> {
    const name = parseImageName("docker", reference);
    const host = registryHostOf(name.image);
    const registry = host === undefined ? "Docker Hub" : `The registry ${host}`;
    const meter = createPullMeter(options.onProgress);
    const request = {
      method: "POST" as const,
      path: "/images/create",
      // Without a tag Docker would pull every one.
      query: { fromImage: name.image, tag: name.digest ?? name.tag },
      ...(options.login && { headers: { "X-Registry-Auth": encodeLogin(options.login) } }),
      signal: options.signal,
    };
    let failed: string | undefined;
    try {
      // Read to the end even after an error: a refused login comes with status 200, in the last line.
      for await (const line of http.lines(request)) {
        failed ??= (line as PullLine).error;
        meter.add(line as PullLine);
      }
    } catch (error) {
      const reason = reasonOf(error);
      throw reason === "" ? error : pullFailure(reason, reference, registry);
    }
    if (failed !== undefined) throw pullFailure(failed, reference, registry);
    meter.finish();
  }

  /**
   * With its last tag an image goes, or stays with it: by its id, because by the tag Docker would take the tag from an
   * image that others are built on, and keep the image.
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

  return { list, get, pull, remove };
}

function imagePath(reference: string): string {
  return `/images/${encodeURIComponent(reference)}`;
}

function toImage(image: DockerImage): Image {
  const tags = (image.RepoTags ?? []).filter((tag) => tag !== "<none>:<none>");
  return { id: image.Id, tags, size: image.Size };
}

/** Padded base64 with the URL alphabet; Docker does not read it without the padding. */
function encodeLogin(login: RegistryLogin): string {
  const json = JSON.stringify({
    username: login.username,
    password: login.password,
    serveraddress: login.serverAddress,
  });
  return Buffer.from(json).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}
