import type { CreateRequest } from "../../api/create.ts";
import type { EngineType } from "../../engines/engine.ts";
import type { RegistryLogin } from "../../engines/images.ts";
import { registryHostOf } from "../../engines/image-name.ts";
import { AppError, invalid } from "../../errors.ts";
import type { RegistryRow, RegistryStore } from "../../storage/registry-store.ts";
import type { CheckRegistry } from "./registry-check.ts";
import type { Secrets } from "../secrets/secrets.ts";

export interface ImageRequest {
  /** Type of the engine. */
  type: EngineType;
  /** Where the image comes from, as `dockerhub`. */
  repository: string;
  /** Name of the image. */
  image: string;
  /** Tag; empty means latest. */
  tag: string;
  /** Name of a saved registry, with the repository `private`. */
  registry_name?: string;
  /** Fingerprint of an image of LXD. */
  fingerprint?: string;
}

export interface ImageSource {
  /** Names of the image in the engine. Of several, the first that can be had is taken. */
  references: References;
  /** True: it can be pulled if it is not on this host. */
  remote: boolean;
  /** Login at the registry; absent: none. */
  login?: RegistryLogin;
}

export type References = readonly [string, ...string[]];

export type ImageReferences = ReturnType<typeof createImageReferences>;

/** Finds out where an image is, from what a request says of it. */
export function createImageReferences(registries: RegistryStore, secrets: Secrets, checkRegistry: CheckRegistry) {
  async function registryOf({ registry_name: name }: ImageRequest): Promise<RegistryRow> {
    if (!name) throw invalid("registry_name", "is missing: with repository private it says which registry");
    const registry = await registries.get(name);
    if (!registry) throw invalid("registry_name", `names no registry of this station: ${name}`);
    return registry;
  }

  async function fromRegistry(request: ImageRequest): Promise<ImageSource> {
    const { image, tag } = request;
    const registry = await registryOf(request);
    const host = registryHost(registry.url);
    const source: ImageSource = { references: [`${host}/${image}:${tagOf(tag)}`], remote: true };
    if (!registry.username) return source;
    const password = secrets.open(registry.password, `registry ${registry.name}`);
    return { ...source, login: { username: registry.username, password, serverAddress: host } };
  }

  async function docker(request: ImageRequest): Promise<ImageSource> {
    const { repository, image, fingerprint } = request;
    if (fingerprint) throw invalid("fingerprint", "goes with type lxd only, not docker");
    if (repository === "local") return { references: referencesOf(request), remote: false };
    if (registryHostOf(image) !== undefined)
      throw invalid("image", "must not name a registry: use repository private, and registry_name");
    if (repository === "dockerhub") return { references: referencesOf(request), remote: true };
    if (repository === "private") return fromRegistry(request);
    throw invalid("repository", "must be dockerhub, private or local for type docker");
  }

  const sources: Readonly<Record<EngineType, (request: ImageRequest) => Promise<ImageSource>>> = {
    docker,
    lxc: systemImage,
    lxd: systemImage,
  };

  return {
    /** Throws `invalid` naming the field. */
    async resolve(request: ImageRequest): Promise<ImageSource> {
      return sources[request.type](request);
    },
    /**
     * Throws `forbidden` when the registry that the image is pulled from leads to where nothing is sent, or has come
     * inside since it was saved. To be called before each pull.
     */
    async assertReachable(request: ImageRequest): Promise<void> {
      if (request.type !== "docker" || request.repository !== "private") return;
      const registry = await registryOf(request);
      const { refusal, inside } = await checkRegistry(registry.url);
      const moved = inside && !registry.inside;
      if (refusal === undefined && !moved) return;
      const reason = refusal ?? "this host or a private network now, and did not when it was saved: save it again";
      const details = { field: "registry_name" };
      throw new AppError("forbidden", `The registry ${registry.name} leads to ${reason}.`, { details });
    },
  };
}

/** The repository that QNAP's documents name for each engine. A create that names none gets its image from there. */
export const usualRepository: Readonly<Record<EngineType, CreateRequest["repository"]>> = {
  docker: "dockerhub",
  lxc: "qnap",
  lxd: "lxd",
};

async function systemImage(request: ImageRequest): Promise<ImageSource> {
  const { type, repository, image, registry_name: name, fingerprint } = request;
  const own = usualRepository[type];
  if (repository !== own && repository !== "local") {
    throw invalid("repository", `must be ${own} or local for type ${type}`);
  }
  if (name) throw invalid("registry_name", `goes with type docker only, not ${type}`);
  if (fingerprint && type !== "lxd") throw invalid("fingerprint", `goes with type lxd only, not ${type}`);
  if (registryHostOf(image) !== undefined) throw invalid("image", `must not name a server with type ${type}`);
  return { references: referencesOf(request), remote: repository === own };
}

/** Returns how the engine names the image on this host. */
export function referencesOf(request: Omit<ImageRequest, "repository">): References {
  return references[request.type](request);
}

const references: Readonly<Record<EngineType, (request: Omit<ImageRequest, "repository">) => References>> = {
  docker: (request) => [taggedName(request)],
  lxc: (request) => [taggedName(request)],
  lxd: ({ image, tag, fingerprint }) => (fingerprint ? [fingerprint] : [`${image}/${tagOf(tag)}`, image]),
};

/** Returns a docker image's name as Docker itself shows it: without Docker Hub's own host and folder. */
export function familiarName(reference: string): string {
  return reference.replace(/^(?:index\.)?docker\.io\//, "").replace(/^library\/(?=[^/]+$)/, "");
}

/** Returns an image as requests name it, for people and for the names of tasks. */
export function taggedName({ image, tag }: Pick<ImageRequest, "image" | "tag">): string {
  return `${image}:${tagOf(tag)}`;
}

/** Returns the tag; an empty one means latest. */
export function tagOf(tag: string): string {
  return tag || "latest";
}

/**
 * Returns the host of a registry as references name it. A host without a dot gets its default port: Docker would take it
 * for a name on Docker Hub, and show the login there.
 */
function registryHost(url: string): string {
  const { host, protocol } = new URL(url);
  return /[.:]/.test(host) || host === "localhost" ? host : `${host}:${protocol === "https:" ? 443 : 80}`;
}

/** Returns a registry's URL from a request in its one spelling. Throws `invalid`. */
export function registryUrl(text: string): string {
  // The parser drops line breaks and takes a backslash for a slash: what it reads is then not what was written.
  if (/[\s\p{Cc}\\]/u.test(text) || !text.includes("://") || !URL.canParse(text)) {
    throw invalid("url", "must be a URL, as https://registry.example.com");
  }
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw invalid("url", "must begin with https:// or http://");
  if (text.includes("@")) throw invalid("url", "must not contain a user or a password");
  if (url.search || url.hash || url.pathname !== "/") throw invalid("url", "must be a host and port only");
  return url.origin;
}
