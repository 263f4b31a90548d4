import type { Engine, RegistryLogin } from "../../engines/engine.ts";
import { AppError } from "../../errors.ts";
import type { TaskContext } from "../../tasks/handler.ts";
import type { ImageSource } from "../image-reference.ts";
import type { KindOptions } from "./options.ts";

/** Of a create's progress, how much the pull is. */
const pullShare = 0.9;

/**
 * The image is on this host when it returns. With `refresh` it is pulled although it is there. Nothing to undo: what
 * is stopped half way leaves no image, and a whole image is a cache.
 */
export async function ensureImage(
  { pulls }: KindOptions,
  context: TaskContext,
  { engine, source, refresh }: { engine: Engine; source: ImageSource; refresh: boolean },
): Promise<void> {
  const { reference, remote, login } = source;
  const present = !(refresh && remote) && (await engine.images.get(reference, context.signal)) !== undefined;
  if (present) return;
  if (!remote) throw new AppError("not_found", `The image ${reference} is not on this host.`);
  const share = refresh ? 1 : pullShare;
  const onProgress = ({ percent, text }: { percent: number; text: string }) =>
    context.progress(percent < 0 ? percent : Math.floor(percent * share), text);
  context.progress(-1, "Download image");
  await context.step("pull", null, () =>
    pulls({ engine, reference, login, onProgress, signal: context.signal }).catch((error: unknown) =>
      Promise.reject(login ? withoutLogin(error, login) : error),
    ),
  );
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
