import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";

import { AppError } from "../../errors.ts";
import type { PullProgress } from "../images.ts";
import { cancelled, diskFull, isDiskFull, wrongAnswer } from "./failures.ts";
import type { Remote } from "./remote.ts";
import { checkItem, inProducts, type Item, type Product, usualOf, versionsOf } from "./simplestreams.ts";

/** An image in LXD's own form: metadata, and a root file system as it is packed on the server. */
export interface SplitImage {
  /** The SHA-256 of both files, one behind the other. */
  fingerprint: string;
  /** The metadata. */
  head: Part;
  /** The root file system. */
  root: Part;
}

/** A file on the server. */
interface Part {
  path: string;
  /** Bytes. */
  size: number;
}

/** An image by an alias of the server's, or by 12 and more digits of its fingerprint. */
export type Wanted = { alias: string } | { fingerprint: string };

/** The metadata is a few kilobytes. */
const mostHead = 16 * 1024 * 1024;
const heads = ["lxd.tar.xz", "incus.tar.xz"];
/** Kinds of root file systems, as LXD itself prefers them. */
const roots = [
  { ftype: "squashfs", combined: "combined_squashfs_sha256" },
  { ftype: "root.tar.xz", combined: "combined_rootxz_sha256" },
] as const;

/** Returns the newest image that is wanted. Throws `not_found` when the server has none for this machine. */
export function findSplitImage(remote: Remote, wanted: Wanted, signal: AbortSignal): Promise<SplitImage> {
  return inProducts(remote, signal, (products) => {
    const found = "alias" in wanted ? byAlias(products, wanted.alias, remote) : byFingerprint(products, wanted, remote);
    if (found) return found;
    const name = "alias" in wanted ? wanted.alias : wanted.fingerprint;
    throw new AppError("not_found", `The image server ${remote.host} has no image ${name}.`);
  });
}

function byAlias(products: readonly Product[], alias: string, remote: Remote): SplitImage | undefined {
  const named = products.filter(({ aliases }) => (aliases ?? "").split(",").some((other) => other.trim() === alias));
  const product = usualOf(named);
  return product && imagesOf(product, remote)[0];
}

function byFingerprint(
  products: readonly Product[],
  { fingerprint }: { fingerprint: string },
  remote: Remote,
): SplitImage | undefined {
  for (const product of products) {
    const found = imagesOf(product, remote).find((image) => image.fingerprint.startsWith(fingerprint));
    if (found) return found;
  }
  return undefined;
}

/** Returns the builds, newest first. */
function imagesOf(product: Product, { host }: Remote): SplitImage[] {
  return versionsOf(product).flatMap(([, items]) => {
    const head = items.find(({ ftype = "" }) => heads.includes(ftype));
    return head ? roots.flatMap((kind) => imageOf(items, head, kind, host)) : [];
  });
}

function imageOf(items: readonly Item[], head: Item, kind: (typeof roots)[number], host: string): SplitImage[] {
  const root = items.find(({ ftype }) => ftype === kind.ftype);
  const fingerprint = head[kind.combined];
  if (!root || typeof fingerprint !== "string" || !/^[0-9a-f]{64}$/.test(fingerprint)) return [];
  return [{ fingerprint, head: checkItem(head, host), root: checkItem(root, host) }];
}

/** How an image is downloaded. */
export interface FetchOptions {
  /** Gets the root file system; empty, and to be deleted by the caller. */
  folder: string;
  /** Stops it; it throws `cancelled` then. */
  signal: AbortSignal;
  /** Is called with each progress. */
  report: (progress: PullProgress) => void;
}

/** Downloads both files, and checks them by the fingerprint. `root` is a path. */
export async function fetchSplitImage(
  remote: Remote,
  image: SplitImage,
  { folder, signal, report }: FetchOptions,
): Promise<{ metadata: Buffer; root: string }> {
  const { head, root, fingerprint } = image;
  if (head.size > mostHead) throw wrongAnswer(remote.host, `offers metadata of more than ${mostHead} bytes`);
  const hash = createHash("sha256");
  const pieces: Buffer[] = [];
  for await (const chunk of remote.file(head.path, head.size, signal)) pieces.push(chunk);
  const metadata = Buffer.concat(pieces);
  hash.update(metadata);
  const path = join(folder, "root");
  const file = await open(path, "wx", 0o600);
  try {
    let received = 0;
    for await (const chunk of remote.file(root.path, root.size, signal)) {
      hash.update(chunk);
      await file.writeFile(chunk);
      received += chunk.length;
      // 100 is for a pull that has ended well.
      const percent = Math.min(99, Math.floor((100 * received) / root.size));
      report({ percent, text: `Download image:${percent}%` });
    }
  } catch (error) {
    if (signal.aborted) throw cancelled(error);
    throw error instanceof Error && isDiskFull(error.message) ? diskFull(error) : error;
  } finally {
    await file.close();
  }
  if (hash.digest("hex") !== fingerprint) throw wrongAnswer(remote.host, `sent ${root.path} with a wrong SHA-256`);
  return { metadata, root: path };
}
