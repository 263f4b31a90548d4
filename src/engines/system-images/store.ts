import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";

import { createMutex } from "../../util/concurrency.ts";
import { removeTree } from "../processes/remove-tree.ts";
import { killStrayProcesses } from "../processes/stray-processes.ts";
import { archiveName } from "./download.ts";
import { type ImageRecord, readRecord, syncFolder, writeRecord } from "./image-record.ts";
import { formatReference, isIdPrefix, parseReference } from "./reference.ts";

/** An image of the store. */
export interface StoredImage {
  /** What the store keeps of it. */
  record: ImageRecord;
  /** As NAME:TAG, sorted. */
  tags: string[];
  /** Path of its archive. */
  archive: string;
}

/** What is known of an image before it is in the store. */
export type NewImage = Omit<ImageRecord, "size" | "tags">;

/**
 * A folder per image, named by its id; whatever is not whole yet, or not any more, is in a folder `.part-*`. A tag that
 * moves is one write: the newer image's record. What then has no tag left is deleted, if need be at the next start.
 */
export interface Store {
  /** Returns all images that have a tag. */
  list(): Promise<StoredImage[]>;
  /** Returns the image with this id, this beginning of an id, or this reference; undefined when there is none. */
  find(reference: string): Promise<StoredImage | undefined>;
  /**
   * Runs `fill` with an empty folder and takes that, with an archive in it, as an image without tags. Returns its id.
   */
  add(fill: (folder: string) => Promise<NewImage>): Promise<string>;
  /** Gives an image a tag, which another image loses then. Returns false when there is no such image (any more). */
  tag(id: string, reference: string): Promise<boolean>;
  /** Removes a tag, and the image with its last one; by an id the image. Returns false when it is not there. */
  remove(reference: string): Promise<boolean>;
  /** Deletes what a killed station left unfinished. */
  recover(): Promise<void>;
}

/** Returns the store in a folder. `station`: the station's own id, which its child processes bear. */
export function createStore(folder: string, station: string): Store {
  const task = `${station}/0`;
  const alone = createMutex();

  const { list, ids, all, find } = createReader(folder);

  async function add(fill: (folder: string) => Promise<NewImage>): Promise<string> {
    const part = join(folder, `.part-${randomUUID()}`);
    await mkdir(part, { mode: 0o700 });
    try {
      const image = await fill(part);
      const { size } = await stat(join(part, archiveName));
      await writeRecord(part, { ...image, size, tags: {} });
      await alone(() => publish(part, image.id));
      return image.id;
    } finally {
      await removeTree(part, { task });
    }
  }

  /** Renames a finished image to its place. The same image may have come by another way: that one stays. */
  async function publish(part: string, id: string): Promise<void> {
    if (await readRecord(join(folder, id))) return;
    if ((await ids()).includes(id)) await discard(id);
    await rename(part, join(folder, id));
    await syncFolder(folder);
  }

  function tag(id: string, reference: string): Promise<boolean> {
    const name = formatReference(parseReference(reference));
    return alone(async () => {
      const images = await all();
      const image = images.find(({ record }) => record.id === id);
      if (!image) return false;
      if (image.tags.includes(name)) return true;
      const times = images.flatMap(({ record }) => record.tags[name] ?? []);
      const now = Math.max(Date.now(), ...times.map((time) => time + 1));
      await writeRecord(join(folder, id), { ...image.record, tags: { ...image.record.tags, [name]: now } });
      for (const { record } of images) if (record.id !== id) await untag(record, name);
      return true;
    });
  }

  function remove(reference: string): Promise<boolean> {
    return alone(async () => {
      const image = await find(reference);
      if (!image) return false;
      const name = formatReference(parseReference(reference));
      if (!image.tags.includes(name)) await discard(image.record.id);
      // After a crash an older image may have it still.
      else for (const { record } of await all()) await untag(record, name);
      return true;
    });
  }

  async function untag(record: ImageRecord, tag: string): Promise<void> {
    if (!Object.hasOwn(record.tags, tag)) return;
    const tags = Object.fromEntries(Object.entries(record.tags).filter(([other]) => other !== tag));
    if (Object.keys(tags).length === 0) await discard(record.id);
    else await writeRecord(join(folder, record.id), { ...record, tags });
  }

  const discard = (id: string): Promise<void> => discardFolder(folder, id, task);

  async function recover(): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const parts = (await readdir(folder)).filter((name) => name.startsWith(".part-"));
    // What a killed station started may still be writing there.
    if (parts.length > 0) await killStrayProcesses(station);
    for (const part of parts) await removeTree(join(folder, part), { task });
    const whole = new Set((await list()).map(({ record }) => record.id));
    for (const id of await ids()) if (!whole.has(id)) await discard(id);
  }

  return { list, find, add, tag, remove, recover };
}

/** Deletes an image: it is gone at once, and its files follow. */
async function discardFolder(folder: string, id: string, task: string): Promise<void> {
  const part = join(folder, `.part-${randomUUID()}`);
  await rename(join(folder, id), part);
  await removeTree(part, { task });
}

/** Returns what reads the images in a folder, as their records have them. */
function createReader(folder: string) {
  async function list(): Promise<StoredImage[]> {
    return (await all()).filter(({ tags }) => tags.length > 0);
  }

  async function ids(): Promise<string[]> {
    return (await readdir(folder)).filter((name) => /^[0-9a-f]{64}$/.test(name));
  }

  /** Returns all images, also those without tags. */
  async function all(): Promise<StoredImage[]> {
    const records = await Promise.all((await ids()).map((id) => readRecord(join(folder, id))));
    const present = records.filter((record) => record !== undefined);
    return present.map((record) => {
      const tags = Object.keys(record.tags).filter((tag) => ownerOf(tag, present) === record);
      return { record, tags: tags.toSorted(), archive: join(folder, record.id, archiveName) };
    });
  }

  async function find(reference: string): Promise<StoredImage | undefined> {
    const images = await list();
    const tag = formatReference(parseReference(reference));
    const tagged = images.find(({ tags }) => tags.includes(tag));
    if (tagged || !isIdPrefix(reference)) return tagged;
    const matching = images.filter(({ record }) => record.id.startsWith(reference));
    return matching.length === 1 ? matching[0] : undefined;
  }

  return { list, ids, all, find };
}

/** Returns the record that a tag belongs to: the one that got it last. */
function ownerOf(tag: string, records: ImageRecord[]): ImageRecord | undefined {
  const having = records.filter((record) => Object.hasOwn(record.tags, tag));
  return having.toSorted((a, b) => (b.tags[tag] ?? 0) - (a.tags[tag] ?? 0))[0];
}
