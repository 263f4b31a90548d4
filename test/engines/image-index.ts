import { createHash } from "node:crypto";

/** Metadata and root file system, packed. */
export type SystemImage = Record<Part, Buffer>;
export type Part = "head" | "root";

export interface ServedImage {
  name: string;
  aliases: string[];
  release: string;
  title?: string;
  variant?: string;
  /** By serial. */
  builds: Map<string, SystemImage>;
  /** What is wrong with its root file system. */
  fault?: "slow" | "wrong" | "cut" | "short" | undefined;
}

const folder = "streams/v1";

/** The two documents of simplestreams. */
export function index(images: ServedImage[]): object {
  const products = images.map(product);
  const entry = { datatype: "image-downloads", path: `${folder}/images.json`, format: "products:1.0", products };
  const other = { datatype: "image-ids", path: `${folder}/ids.json`, format: "ids:1.0", products };
  return { format: "index:1.0", index: { ids: other, images: entry } };
}

export function catalogue(images: ServedImage[]): object {
  const here = images.map((image) => [product(image), facts(image, architecture())]);
  const elsewhere = images.map((image) => [`${product(image)}:other`, facts(image, "m68k")]);
  return {
    format: "products:1.0",
    content_id: "images",
    datatype: "image-downloads",
    products: Object.fromEntries([...elsewhere, ...here]) as object,
  };
}

function facts(image: ServedImage, arch: string): object {
  const { aliases, release, title = release, variant } = image;
  const versions = [...image.builds].map(([serial, content]) => [serial, { items: items(image, serial, content) }]);
  // The newest is still being made.
  versions.push(["20990101_0000", { items: {} }]);
  return {
    aliases: aliases.join(","),
    arch,
    os: "Test",
    release,
    release_title: title,
    ...(variant && { variant }),
    version: release,
    versions: Object.fromEntries(versions) as object,
  };
}

function items(image: ServedImage, serial: string, content: SystemImage): object {
  const whole = { combined_rootxz_sha256: digest(Buffer.concat([content.head, content.root])) };
  const item = (ftype: string, part: Part) => {
    const wrong = image.fault === "wrong" && part === "root";
    const sha256 = digest(wrong ? Buffer.from("another") : content[part]);
    return { ftype, path: partPath(image, serial, part), sha256, size: content[part].length };
  };
  return { "lxd.tar.xz": { ...item("lxd.tar.xz", "head"), ...whole }, "root.tar.xz": item("root.tar.xz", "root") };
}

export function partPath({ name }: ServedImage, serial: string, part: Part): string {
  return `images/${name}/${serial}/${part}.tar.xz`;
}

function digest(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

function product({ name, variant = "default" }: ServedImage): string {
  return `${name.replaceAll("/", ":")}:${architecture()}:${variant}`;
}

function architecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}

export function machine(): string {
  return process.arch === "x64" ? "x86_64" : "aarch64";
}
