import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import { AppError } from "../../errors.ts";
import type { Image, Images, PullOptions } from "../images.ts";
import type { Announce, Call, FakeEngineOptions, FakeState } from "./state.ts";

interface Deps {
  options: FakeEngineOptions;
  state: FakeState;
  call: Call;
  announce: Announce;
}

const steps = 10;

/** Returns the images of a fake engine. */
export function createFakeImages({ options, state, call, announce }: Deps): Images {
  const remotes = options.remote ?? {};

  function find(reference: string): Image | undefined {
    return state.images.get(reference) ?? [...state.images.values()].find(({ tags }) => tags.includes(reference));
  }

  async function download(reference: string, pulling: PullOptions, cut: AbortSignal): Promise<void> {
    const remote = remotes[reference];
    if (!remote) throw missing(reference, Object.keys(remotes));
    if (
      remote.login &&
      (pulling.login?.username !== remote.login.username || pulling.login.password !== remote.login.password)
    ) {
      throw new AppError("remote_failed", `The registry refused access to ${reference}.`);
    }
    pulling.onProgress?.({ percent: -1, text: "Download image" });
    for (let step = 1; step <= steps; step++) {
      await delay((remote.duration ?? 0) / steps, undefined, { signal: cut });
      const percent = (100 * step) / steps;
      pulling.onProgress?.({ percent, text: `Download image:${percent}%` });
    }
    publish(reference, remote.size);
  }

  function publish(reference: string, size: number): void {
    // The same content under another name is the same image, as busybox:latest and host/busybox:latest.
    const id = `sha256:${createHash("sha256")
      .update(`${reference.split("/").at(-1)} ${size}`)
      .digest("hex")}`;
    const tags = new Set([...(state.images.get(id)?.tags ?? []), reference]);
    state.images.set(id, { id, size, tags: [...tags] });
    announce("image", "pull", reference);
  }

  function drop(reference: string): void {
    const image = find(reference);
    if (!image) throw new AppError("not_found", `The fake engine has no image ${reference}.`);
    const tags = image.tags.filter((tag) => tag !== reference);
    const last = image.id === reference || tags.length === 0;
    if (image.id === reference && image.tags.length > 1)
      throw new AppError("conflict", `Image ${reference} has several names.`);
    const user = [...state.containers.values()].find((container) => container.imageId === image.id);
    if (last && user) throw new AppError("conflict", `Image ${reference} is used by container ${user.name}.`);
    if (last) state.images.delete(image.id);
    else state.images.set(image.id, { ...image, tags });
    announce("image", last ? "delete" : "untag", image.id);
  }

  return {
    list: (signal) =>
      call({ method: "images.list", subject: "", signal }, () => structuredClone([...state.images.values()])),
    get: (reference, signal) =>
      call({ method: "images.get", subject: reference, signal }, () => structuredClone(find(reference))),
    pull: (reference, pulling) =>
      call({ method: "images.pull", subject: reference, signal: pulling.signal }, (cut) =>
        download(reference, pulling, cut),
      ),
    remove: (reference, signal) => call({ method: "images.remove", subject: reference, signal }, () => drop(reference)),
  };
}

function missing(reference: string, known: string[]): AppError {
  const registry = reference.split("/")[0];
  const answers = known.some((name) => name.split("/")[0] === registry);
  return answers
    ? new AppError("not_found", `The registry ${registry} has no image ${reference}.`)
    : new AppError("remote_failed", `The registry ${registry} did not deliver ${reference}.`);
}
