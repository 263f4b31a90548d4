import { AppError, invalid } from "../../errors.ts";
import type { CreateRequest } from "../../api/create.ts";
import type { Engine } from "../../engines/engine.ts";
import { referencesOf, usualRepository } from "../planning/image-reference.ts";

export type OpenvzEngine = "lxc" | "lxd";

export interface TemplateOptions {
  /** System images by their names as templates. */
  aliases: Readonly<Record<string, string>>;
  /**
   * Returns why such an image cannot be had at present, as a sentence, and whether the image server could not be asked.
   * `undefined`: it can be had, or that is not known.
   */
  lacks(reference: string, signal: AbortSignal): Promise<{ reason: string; unreachable: boolean } | undefined>;
}

type ImageFields = Pick<CreateRequest, "repository" | "image" | "tag">;

/** Milliseconds that a request waits for the image server. After that the job finds out. */
const patience = 3_000;
const systemImage = /^([a-z0-9]+(?:[._/-][a-z0-9]+)*)(?::([a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}))?$/;

/** Makes the function that finds the system image that an `ostemplate` names. */
export function createTemplates({ aliases, lacks }: TemplateOptions) {
  async function isThere(engine: Engine, image: ImageFields): Promise<boolean> {
    for (const reference of referencesOf({ type: engine.type, ...image }))
      if (await engine.images.get(reference)) return true;
    return false;
  }

  return {
    /**
     * Throws `invalid` for what is no template, as far as that is known now, and `engine_unavailable` while the image
     * server cannot be asked.
     */
    async resolve(template: string, engine: Engine): Promise<ImageFields> {
      const [, image, tag = "latest"] = systemImage.exec(aliases[template] ?? template) ?? [];
      if (image === undefined) throw unknownTemplate(template);
      const named: ImageFields = { repository: usualRepository[engine.type], image, tag };
      if (await isThere(engine, named)) return named;
      // LXD's aliases have a slash where the station's own store has a dash.
      const other = engine.type === "lxd" ? image.replace("-", "/") : image.replaceAll("/", "-");
      const asked: ImageFields = { ...named, image: other };
      if (other !== image && (await isThere(engine, asked))) return asked;
      const lack = await lacks(`${image}:${tag}`, AbortSignal.timeout(patience));
      if (lack?.unreachable) throw new AppError("engine_unavailable", `${lack.reason} Try again later.`);
      if (lack) throw unknownTemplate(template, aliases[template], lack.reason);
      return asked;
    },
  };
}

export type Templates = ReturnType<typeof createTemplates>;

function unknownTemplate(template: string, image?: string, reason?: string): AppError {
  const named = JSON.stringify(template.slice(0, 64)) + (image === undefined ? "" : ` (${image})`);
  return invalid("ostemplate", `names no template of this station: ${named}${reason ? `. ${reason}` : ""}`);
}
