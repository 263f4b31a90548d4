import type { EngineType } from "./engine.ts";

/** A reference to an image, taken apart: `HOST:PORT/NAME:TAG@DIGEST`, an alias of LXD as `NAME/TAG`, or an id. */
export interface ImageName {
  /** With the registry's host where one is named; the id itself where the image is named by its id. */
  image: string;
  /** `latest` where neither tag nor digest is named; empty for an id, and where a digest alone says which one is meant. */
  tag: string;
  /** As `sha256:...`. */
  digest?: string;
}

const wholeId = /^(?:sha256:)?[0-9a-f]{64}$/;
/** The beginning of an id, long enough that nobody takes it for a name. */
const shortId = /^(?:sha256:)?[0-9a-f]{6,63}$/;

/** Takes a reference of this engine apart. `imageId`: of the image that it means, which tells a short id from a name. */
export function parseImageName(type: EngineType, reference: string, imageId = ""): ImageName {
  if (reference === "" || isId(reference, imageId)) return { image: reference, tag: "" };
  const [named = "", digest] = reference.split("@", 2);
  const { image, tag } = splitTag(type, named);
  if (digest) return { image, tag, digest };
  return { image, tag: tag || "latest" };
}

/** Returns which one of the images of that name it is: its tag or its digest; empty for an id. */
export function versionOf({ tag, digest = "" }: ImageName): string {
  return tag || digest;
}

/** Returns it as `NAME:TAG`, `NAME@DIGEST`, or the id. */
export function formatImageName(name: ImageName): string {
  const { image, tag, digest } = name;
  if (tag !== "") return `${image}:${tag}`;
  return digest ? `${image}@${digest}` : image;
}

/** Returns the registry's host where the name begins with one: by Docker's own rule. */
export function registryHostOf(image: string): string | undefined {
  const [first = "", ...rest] = image.split("/");
  const isHost = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  return rest.length > 0 && isHost ? first : undefined;
}

function isId(reference: string, imageId: string): boolean {
  if (wholeId.test(reference)) return true;
  const bare = (id: string): string => id.replace(/^sha256:/, "");
  return shortId.test(reference) && bare(imageId).startsWith(bare(reference));
}

/** Engines in whose references a slash separates name and tag, as in `ubuntu/bionic`. */
const slashBeforeTag: Readonly<Record<EngineType, boolean>> = { docker: false, lxc: false, lxd: true };

/** Splits a reference at its tag. A colon before the last slash is a port's. */
function splitTag(type: EngineType, reference: string): Pick<ImageName, "image" | "tag"> {
  const slash = reference.lastIndexOf("/");
  const colon = reference.lastIndexOf(":");
  const at = colon > slash ? colon : slashBeforeTag[type] ? slash : -1;
  return at < 1 ? { image: reference, tag: "" } : { image: reference.slice(0, at), tag: reference.slice(at + 1) };
}
