import type { ImageDownloadRequest } from "../../api/create.ts";
import type { Engine } from "../../engines/engine.ts";
import type { RegistryLogin } from "../../engines/images.ts";
import { AppError, hasCode } from "../../errors.ts";
import type { TaskContext } from "../../tasks/handler.ts";
import { type ImageSource, tagOf } from "../planning/image-reference.ts";
import type { KindOptions } from "./options.ts";

/** Of a create's progress, how much the pull is. */
const pullShare = 0.9;

interface Wanted {
  engine: Engine;
  source: ImageSource;
  /** Pull it although it is there. */
  refresh: boolean;
}

/**
 * The image is on this host when it returns; answers the reference that it has there. Nothing to undo: what is stopped
 * half way leaves no image, and a whole image is a cache.
 */
export async function ensureImage(options: KindOptions, context: TaskContext, wanted: Wanted): Promise<string> {
  const { engine, source, refresh } = wanted;
  if (!(refresh && source.remote)) {
    for (const reference of source.references) {
      if (await engine.images.get(reference, context.signal)) return reference;
    }
  }
  if (!source.remote) throw new AppError("not_found", `The image ${source.references[0]} is not on this host.`);
  context.progress(-1, "Download image");
  return context.step("pull", null, () => tellDownload(options, context, () => pullFirst(options, context, wanted)));
}

async function tellDownload<T>({ announce }: KindOptions, context: TaskContext, pull: () => Promise<T>): Promise<T> {
  const { type, image: name, tag, repository } = context.params as ImageDownloadRequest;
  const tell = (state: "success" | "error"): void =>
    announce("image", context.user, { name, repository, state, tag: tagOf(tag), action: "download", type });
  try {
    const pulled = await pull();
    tell("success");
    return pulled;
  } catch (error) {
    // What is stopped, or tried again when the engine is back, has not failed.
    if (!context.signal.aborted && !hasCode(error, "engine_unavailable")) tell("error");
    throw error;
  }
}

/** The first that is to be had. What failed first is what the user asked for most. */
async function pullFirst({ pulls, images }: KindOptions, context: TaskContext, wanted: Wanted): Promise<string> {
  await images.assertReachable(context.params as ImageDownloadRequest);
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

/** What a registry says is shown to people: it may say back what it was sent. */
function withoutLogin(error: unknown, { username, password }: RegistryLogin): unknown {
  if (!(error instanceof AppError) || password === "") return error;
  const pair = Buffer.from(`${username}:${password}`);
  const secrets = [password, pair.toString("base64"), pair.toString("base64url"), encodeURIComponent(password)];
  const hidden = (text: string) => secrets.reduce((rest, secret) => rest.replaceAll(secret, "********"), text);
  const message = hidden(error.message);
  if (message === error.message) return error;
  return new AppError(error.code, message, error.details ? { details: error.details } : {});
}
