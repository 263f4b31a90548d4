import { parseImageName } from "../image-name.ts";

/** A reference to a system image. */
export interface Reference {
  /** As ubuntu-bionic. */
  name: string;
  /** As latest. */
  tag: string;
}

/** Returns the parts of a reference to a system image; its name may have slashes where a server's aliases have them. */
export function parseReference(reference: string): Reference {
  const { image, tag } = parseImageName("lxc", reference);
  return { name: image, tag };
}

/** Returns a reference as NAME:TAG. */
export function formatReference({ name, tag }: Reference): string {
  return `${name}:${tag}`;
}

/** Returns whether a reference may be an id, or the beginning of one. */
export function isIdPrefix(reference: string): boolean {
  return /^[0-9a-f]{12,64}$/.test(reference);
}

/** Returns whether a name means an alias. `alias`: as a server has it, with slashes. */
export function isNameOf(name: string, alias: string): boolean {
  return name === alias || name === alias.replaceAll("/", "-");
}

/** Releases that this host can build, with their numbers. */
const debianReleases: Readonly<Record<string, string>> = {
  bullseye: "11",
  bookworm: "12",
  trixie: "13",
  forky: "14",
  sid: "sid",
};

/**
 * Returns the Debian release that `debian-bookworm`, `debian/bookworm` or `debian/12` names, if this host can build it.
 */
export function debianRelease({ name, tag }: Reference): string | undefined {
  const word = /^debian[-/](\w+)$/.exec(name)?.[1];
  const [release, number] = Object.entries(debianReleases).find((names) => word && names.includes(word)) ?? [];
  return ["latest", release, number].includes(tag) ? release : undefined;
}
