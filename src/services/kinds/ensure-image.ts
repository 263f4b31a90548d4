import type { Engine } from "../../engines/engine.ts";
import type { RegistryLogin } from "../../engines/images.ts";
import { AppError, hasCode } from "../../errors.ts";
import { type ImageRequest, type ImageSource, tagOf } from "../planning/image-reference.ts";
import type { TaskRun } from "./task-kind.ts";

/** The share of the pull in the progress of a create: 0 to 90 percent. */
const pullShare = 0.9;

interface Wanted {
  engine: Engine;
  source: ImageSource;
  /** Pull it although it is there. */
  refresh: boolean;
}

/** The task that wants an image, with what it says of the image. */
type ImageTask = TaskRun<ImageRequest>;

/**
 * Makes sure that an image is on this host and returns the reference that it has there. There is nothing to undo: what is
 * stopped half way leaves no image, and a whole image is a cache.
 */
export async function ensureImage(task: ImageTask, wanted: Wanted): Promise<string> {
  const { engine, source, refresh } = wanted;
  const { context } = task;
  if (!(refresh && source.remote)) {
    for (const reference of source.references) {
      if (await engine.images.get(reference, context.signal)) return reference;
    }
  }
  if (!source.remote) throw new AppError("not_found", `The image ${source.references[0]} is not on this host.`);
  context.progress(-1, "Download image");
  return context.step("pull", null, () => withEvent(task, () => pullFirst(task, wanted)));
}

/** Pulls, and writes an event about how that ended. */
async function withEvent<T>({ request, context, dependencies }: ImageTask, pull: () => Promise<T>): Promise<T> {
  const { type, image: name, tag, repository } = request;
  const write = (state: "success" | "error"): void =>
    dependencies.writeEvent("image", context.user, {
      name,
      repository,
      state,
      tag: tagOf(tag),
      action: "download",
      type,
    });
  try {
    const pulled = await pull();
    write("success");
    return pulled;
  } catch (error) {
    // A pull that is stopped, or tried again when the engine is back, has not failed.
    if (!context.signal.aborted && !hasCode(error, "engine_unavailable")) write("error");
    throw error;
  }
}

/** Pulls the first reference that can be had. If none can, throws the first failure: the user asked for that image most. */
async function pullFirst({ request, context, dependencies }: ImageTask, wanted: Wanted): Promise<string> {
  const { pulls, images } = dependencies;
  await images.assertReachable(request);
  const { engine, source, refresh } = wanted;
  const share = refresh ? 1 : pullShare;
  const onProgress = ({ percent, text }: { percent: number; text: string }) =>
    context.progress(percent < 0 ? percent : Math.floor(percent * share), text);
  let failure: unknown;
  for (const reference of source.references) {
    try {
      await pulls({ engine, reference, login: source.login, onProgress, signal: context.signal });
      return reference;
    } catch (error) {
      if (!hasCode(error, "not_found") && !hasCode(error, "remote_failed"))
        throw source.login ? withoutLogin(error, source.login) : error;
      failure ??= error;
    }
  }
  throw source.login ? withoutLogin(failure, source.login) : failure;
}

/** Returns the error without the login: a registry's words are shown to people, and it may repeat what it was sent. */
function withoutLogin(error: unknown, { username, password }: RegistryLogin): unknown {
  if (!(error instanceof AppError) || password === "") return error;
  const pair = Buffer.from(`${username}:${password}`);
  const secrets = [password, pair.toString("base64"), pair.toString("base64url"), encodeURIComponent(password)];
  const hidden = (text: string) => secrets.reduce((rest, secret) => rest.replaceAll(secret, "********"), text);
  const message = hidden(error.message);
  if (message === error.message) return error;
  return new AppError(error.code, message, error.details ? { details: error.details } : {});
}
