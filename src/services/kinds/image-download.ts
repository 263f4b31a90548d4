import { ImageDownloadRequest } from "../../api/create.ts";
import { demandsOfImage } from "../access/task-authorization.ts";
import { taggedName } from "../planning/image-reference.ts";
import { imageKeys } from "../planning/resource-keys.ts";
import { ensureImage } from "./ensure-image.ts";
import { storedRequest } from "./stored-request.ts";
import { defineTaskKind, type KindDefinition } from "./task-kind.ts";
import { sharedLocks } from "./task-plan.ts";

const definition: Omit<KindDefinition<string, ImageDownloadRequest>, "kind"> = {
  category: "image_download",
  verb: "image:download",
  lane: "heavy",
  request: storedRequest(ImageDownloadRequest),
  async plan(request, { images }) {
    const source = await images.resolve(request);
    // Shared: pulls of one image go on together, and none while it is being removed.
    const locks = sharedLocks(imageKeys(request.type, source.references));
    const demands = demandsOfImage(source);
    return { engines: [request.type], name: taggedName(request), locks, creates: null, ports: [], demands };
  },
  async run({ request, context, dependencies }) {
    const source = await dependencies.images.resolve(request);
    await dependencies.authorize(context.user, "image:download", demandsOfImage(source));
    const { engine } = dependencies.inventory.require(request.type);
    await ensureImage({ request, context, dependencies }, { engine, source, refresh: true });
    return undefined;
  },
};

/** Pulls an image, or a newer one of the same tag. After a crash it begins again; finished layers are not fetched twice. */
export const imageDownload = defineTaskKind({ ...definition, kind: "image_download" });

/** Does the same by the name that some clients have for it. */
export const imagePull = defineTaskKind({ ...definition, kind: "image_pull" });
