import { Type, type Static, type TSchema } from "typebox";
import { ContainerName, ContainerReference } from "./container-name.ts";
import { Network } from "./create-network.ts";
import { pageFields } from "./page-fields.ts";

/** Bodies of `create` and of the image tasks: QNAP's documents, chapters container and background. */

const closed = { additionalProperties: false };
const text = (maxLength: number, description: string) => Type.String({ maxLength, description });

/** The types of engines, as `engineTypes` of src/engines/engine.ts has them: the compiler compares the two. */
export const ContainerType = Type.Union([Type.Literal("docker"), Type.Literal("lxc"), Type.Literal("lxd")]);
export type ContainerType = Static<typeof ContainerType>;

const Repository = Type.Union(
  [
    Type.Literal("dockerhub"),
    Type.Literal("qnap"),
    Type.Literal("private"),
    Type.Literal("local"),
    Type.Literal("lxd"),
  ],
  { description: "Where the image comes from" },
);

/** Path components of a repository, with an optional registry host in front. */
export const ImageName = Type.String({
  pattern:
    "^(?:[a-zA-Z0-9][a-zA-Z0-9.-]*(?::[0-9]{1,5})?/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*$",
  maxLength: 255,
  description: "An image name, as ubuntu or library/ubuntu",
});

export const ImageTag = Type.String({
  pattern: "^(?:[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127})?$",
  description: "An image tag, as latest; empty means latest",
});

/** Shown with the image; not sent to the engine. */
const ImageMetadata = Type.Object(
  {
    description: Type.Optional(text(4096, "Description of this image")),
    location: Type.Optional(text(2048, "URL of this image")),
    icon: Type.Optional(text(2048, "Icon of this image")),
  },
  closed,
);

const DevicePermission = Type.Tuple(
  [
    Type.Union([Type.Literal("allow"), Type.Literal("deny")]),
    text(128, "A device of GET /resource/device"),
    Type.String({ pattern: "^(?!.*(.).*\\1)[rwm]{1,3}$", description: "One or more of r, w, m" }),
  ],
  { description: "[allow or deny, a device, one or more of r, w, m]" },
);

const Limit = Type.Object(
  {
    cputime: Type.Optional(
      Type.Integer({ minimum: 10, maximum: 999, description: "Milliseconds of one core in each second" }),
    ),
    cpuweight: Type.Optional(Type.Integer({ minimum: 2, maximum: 1024, description: "Relative share of CPU time" })),
    memory: Type.Optional(
      Type.String({
        pattern: "^(?:6[5-9]|[7-9][0-9]|[1-9][0-9]{2,8})m?$",
        description: "Megabytes, more than 64, as 768m",
      }),
    ),
  },
  closed,
);

const Resource = Type.Object(
  {
    limit: Type.Optional(Limit),
    device: Type.Optional(Type.Array(DevicePermission, { maxItems: 256 })),
    gpu: Type.Optional(
      Type.Array(text(128, "A GPU; a container that asks for one gets every GPU of the host"), { maxItems: 16 }),
    ),
  },
  closed,
);

/** Absolute, no control characters. */
const ContainerPath = Type.String({
  pattern: "^/[^\\u0000-\\u001f\\u007f]*$",
  maxLength: 4096,
  description: "An absolute path in the container",
});

const SharePath = Type.String({
  pattern: "^/[^\\u0000-\\u001f\\u007f]+$",
  maxLength: 4096,
  description: "A path that begins with /SHARE, the name of a shared folder, without control characters",
});

const HostMount = Type.Object(
  {
    bind: ContainerPath,
    ro: Type.Optional(Type.Boolean({ description: "Mounted read-only" })),
    rw: Type.Optional(Type.Boolean({ description: "The opposite of ro" })),
  },
  closed,
);

/** An object whose keys are the caller's own. `propertyNames`, not a pattern of keys: a refusal then names the rule. */
function keyed<V extends TSchema>(key: TSchema, value: V, options: { max: number; description: string }) {
  return Type.Unsafe<Record<string, Static<V>>>({
    type: "object",
    propertyNames: key,
    additionalProperties: value,
    maxProperties: options.max,
    description: options.description,
  });
}

const Volume = Type.Object(
  {
    host: Type.Optional(keyed(SharePath, HostMount, { max: 256, description: "/SHARE/folder -> where it is mounted" })),
    container: Type.Optional(Type.Array(ContainerReference, { maxItems: 64 })),
    new: Type.Optional(Type.Array(ContainerPath, { maxItems: 64 })),
  },
  closed,
);

/** A command line, split as a shell splits words; a list is taken as it is. */
export const CommandLine = Type.Unsafe<string | string[]>({
  type: ["string", "array"],
  items: { type: "string", maxLength: 65536 },
  maxItems: 1024,
  maxLength: 65536,
});

const imageFields = {
  type: ContainerType,
  repository: Repository,
  image: ImageName,
  tag: ImageTag,
  registry_name: Type.Optional(text(128, "A private registry's name")),
  fingerprint: Type.Optional(
    Type.String({ pattern: "^[0-9a-f]{12,64}$", description: "An LXD image's id, 12 to 64 of 0-9 and a-f" }),
  ),
  download: Type.Optional(ImageMetadata),
  description: Type.Optional(text(4096, "Description of this image")),
  location: Type.Optional(text(2048, "URL of this image")),
  icon: Type.Optional(text(2048, "Icon of this image")),
};

export const CreateRequest = Type.Object(
  {
    ...imageFields,
    name: ContainerName,
    autostart: Type.Optional(Type.Boolean({ description: "Start it when the host boots" })),
    privileged: Type.Optional(Type.Boolean({ description: "Give extended privileges to this container" })),
    entrypoint: Type.Optional(CommandLine),
    command: Type.Optional(CommandLine),
    user: Type.Optional(
      Type.String({
        pattern: "^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,31}(?::[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,31})?$|^$",
        description: "A user, or user:group",
      }),
    ),
    working_dir: Type.Optional(
      Type.String({ pattern: "^/[^\\u0000-\\u001f\\u007f]*$|^$", maxLength: 4096, description: "An absolute path" }),
    ),
    environment: Type.Optional(
      Type.Array(Type.String({ pattern: "^[^=\\u0000]+=[^\\u0000]*$", maxLength: 131072, description: "NAME=VALUE" }), {
        maxItems: 1024,
      }),
    ),
    // Docker keeps an alias as a further name of the other container.
    links: Type.Optional(keyed(ContainerReference, ContainerName, { max: 64, description: "Container -> alias" })),
    network: Type.Optional(Network),
    resource: Type.Optional(Resource),
    volume: Type.Optional(Volume),
    gpu: Type.Optional(Type.Boolean()),
    ...pageFields,
  },
  { ...closed, $id: "CreateRequest" },
);
export type CreateRequest = Static<typeof CreateRequest>;

export const ImageDownloadRequest = Type.Object(imageFields, { ...closed, $id: "ImageDownloadRequest" });
export type ImageDownloadRequest = Static<typeof ImageDownloadRequest>;
