import { AppError } from "../../errors.ts";
import { architecture } from "./architecture.ts";
import { wrongAnswer } from "./failures.ts";
import { formatReference, isNameOf, type Reference } from "./reference.ts";
import type { Remote } from "./remote.ts";

/** One build of an image, as a server offers it. */
export interface Build {
  /** The archive's SHA-256, which is the image's id. */
  id: string;
  /** The path of the archive, relative to the server's address. */
  path: string;
  /** Bytes. */
  size: number;
  /** As 20210810_07:42. */
  serial: string;
  /** For a person. */
  description: string;
}

/** The parts of simplestreams (https://github.com/canonical/lxd/tree/main/shared/simplestreams) that are read here. */
interface Index {
  index?: Record<string, { format?: string; path?: string }>;
}

interface Products {
  products?: Record<string, Product>;
}

/** An entry of the images.json of a simplestreams server, as far as it is used. A server may say anything. */
export interface Product {
  /** Names, separated by commas. */
  aliases?: string;
  /** Returns Debian's word for an architecture, as amd64; a word that is not known as it is. */
  arch?: string;
  /** For a person, as Debian. */
  os?: string;
  /** As bookworm. */
  release?: string;
  /** As 12. */
  release_title?: string;
  /** As Bookworm. */
  release_codename?: string;
  /** As default or cloud. */
  variant?: string;
  /** As 12. */
  version?: string;
  /** Builds by serial, each with its files by name. */
  versions?: Record<string, { items?: Record<string, Item> }>;
}

/** A file of a build. A server may say anything. */
export interface Item {
  /** What the file is, as root.tar.xz. */
  ftype?: string;
  /** Relative to the server's address. */
  path?: string;
  /** The SHA-256 of the file, in hex. */
  sha256?: string;
  /** Bytes. */
  size?: number;
  /** The SHA-256 over LXD's metadata and the squashfs behind it, in hex. */
  combined_squashfs_sha256?: string;
  /** The SHA-256 over LXD's metadata and the root.tar.xz behind it, in hex. */
  combined_rootxz_sha256?: string;
}

/** How many serials a refusal names. */
const named = 5;

/** Throws `not_found` when the server has no such image for this machine. */
export async function findBuild(remote: Remote, reference: Reference, signal: AbortSignal): Promise<Build> {
  return inProducts(remote, signal, (products) => {
    const candidates = products.filter((product) => isWanted(product, reference.name));
    return choose(candidates, reference, remote.host);
  });
}

/** Returns what `choose` finds in all that the server has for this machine. */
export async function inProducts<T>(
  remote: Remote,
  signal: AbortSignal,
  choose: (products: readonly Product[]) => T,
): Promise<T> {
  try {
    const found: Product[] = [];
    for (const path of await productFiles(remote, signal)) {
      const { products } = (await remote.json(path, signal)) as Products;
      found.push(...Object.values(products ?? {}).filter(({ arch }) => arch === architecture.product));
    }
    return choose(found);
  } catch (error) {
    // What it sent is JSON, and of any shape.
    if (error instanceof TypeError) throw wrongAnswer(remote.host, "answered with what is no index of images", error);
    throw error;
  }
}

/** Returns the usual one of several products with one alias. */
export function usualOf(candidates: readonly Product[]): Product | undefined {
  return candidates.find(({ variant }) => variant === undefined || variant === "default") ?? candidates[0];
}

function choose(candidates: readonly Product[], reference: Reference, host: string): Build {
  const product = usualOf(candidates);
  const builds = product ? buildsOf(product, host) : [];
  if (!product || builds.length === 0) {
    const message = `The image server ${host} has no image ${formatReference(reference)} for ${architecture.product}.`;
    throw new AppError("not_found", message);
  }
  return chooseBuild(product, builds, reference, host);
}

async function productFiles(remote: Remote, signal: AbortSignal): Promise<string[]> {
  const { index } = (await remote.json("streams/v1/index.json", signal)) as Index;
  const files = Object.values(index ?? {}).filter(({ format }) => format === "products:1.0");
  return files.flatMap(({ path }) => (isPlain(path) ? path : []));
}

/** Returns whether a word of a server's is a line of an ordinary length: such words get into records and sentences. */
function isPlain(word: unknown): word is string {
  return typeof word === "string" && /^[^\p{Cc}]{1,255}$/u.test(word);
}

function isWanted({ aliases }: Product, name: string): boolean {
  return (aliases ?? "").split(",").some((alias) => isNameOf(name, alias.trim()));
}

/** Returns the builds, newest first. */
export function versionsOf(product: Product): [serial: string, items: Item[]][] {
  const known = Object.entries(product.versions ?? {}).filter(([serial]) => isPlain(serial));
  const sorted = known.toSorted(([a], [b]) => (a < b ? 1 : -1));
  return sorted.map(([serial, { items }]) => [serial, Object.values(items ?? {})]);
}

function buildsOf(product: Product, host: string): Build[] {
  const description = [product.os, product.release].filter(isPlain).join(" ");
  return versionsOf(product).flatMap(([serial, items]) => {
    const item = items.find(({ ftype }) => ftype === "root.tar.xz");
    return item ? [{ ...checkItem(item, host), serial, description }] : [];
  });
}

/** Returns a file with a path, a size and a SHA-256 that can be used. Throws `remote_failed` without them. */
export function checkItem({ path, sha256, size }: Item, host: string): Pick<Build, "id" | "path" | "size"> {
  const whole =
    isPlain(path) &&
    isPlain(sha256) &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    size !== undefined &&
    Number.isSafeInteger(size);
  if (!whole || size <= 0) throw wrongAnswer(host, "offers an archive without path, size or SHA-256");
  return { id: sha256, path, size };
}

function chooseBuild(product: Product, builds: Build[], { name, tag }: Reference, host: string): Build {
  const { release, release_title: title, release_codename: codename, version } = product;
  const releases = [...new Set([release, title, codename, version].filter(isPlain))];
  const found =
    tag === "latest" || releases.includes(tag) ? builds[0] : builds.find(({ serial }) => isSerial(tag, serial));
  if (found) return found;
  const serials = builds.slice(0, named).map(({ serial }) => serial.replaceAll(":", ""));
  const there = ["latest", ...releases, ...serials].join(", ");
  throw new AppError("not_found", `The image server ${host} has no image ${name}:${tag}; of ${name} it has ${there}.`);
}

/** Returns whether a tag means a serial. A tag cannot have the colon of 20210810_07:42. */
function isSerial(tag: string, serial: string): boolean {
  const withoutSeparators = (text: string): string => text.replaceAll(/[:_.-]/g, "");
  return withoutSeparators(tag) === withoutSeparators(serial);
}
