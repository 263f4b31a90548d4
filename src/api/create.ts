import { Type, type Static, type TSchema } from "typebox";

/** Bodies of `create` and of the image tasks: `api/station-v1`, chapters container and background. */

const closed = { additionalProperties: false };
const text = (maxLength: number, description: string) => Type.String({ maxLength, description });

export const ContainerType = Type.Union([Type.Literal("docker"), Type.Literal("lxc"), Type.Literal("lxd")]);

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

/** No option, no path, no shell metacharacter. */
export const ContainerName = Type.String({
  pattern: "^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}$",
  description: "2 to 64 letters, digits, '_', '.' or '-', the first a letter or digit",
});

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

const Port = Type.Integer({ minimum: 1, maximum: 65535 });
const PortForward = Type.Tuple([Port, Port, Type.Union([Type.Literal("tcp"), Type.Literal("udp")])], {
  description: "[host port, container port, tcp or udp]",
});

const DevicePermission = Type.Tuple(
  [
    Type.Union([Type.Literal("allow"), Type.Literal("deny")]),
    text(128, "A device of GET /resource/device"),
    Type.String({ pattern: "^(?!.*(.).*\\1)[rwm]{1,3}$", description: "One or more of r, w, m" }),
  ],
  { description: "[allow or deny, a device, one or more of r, w, m]" },
);

const IPv4 = "(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])";
const IPv4Address = Type.String({ pattern: `^${IPv4}$`, description: "An IPv4 address" });
const InterfaceName = Type.String({
  pattern: "^[a-zA-Z0-9][a-zA-Z0-9_.:-]{0,14}$",
  description: "A network interface",
});

/** The form that the station's page sends for `mode: "bridge"`. */
const Bridge = Type.Object(
  {
    mode: Type.Optional(Type.Union([Type.Literal("dhcp"), Type.Literal("static")])),
    interface: Type.Optional(
      Type.Object({ bridge: Type.Optional(InterfaceName), name: Type.Optional(InterfaceName) }, closed),
    ),
    ip: Type.Optional(IPv4Address),
    netmask: Type.Optional(IPv4Address),
    gateway: Type.Optional(IPv4Address),
  },
  closed,
);

const Network = Type.Object(
  {
    mode: Type.Optional(
      Type.Union([Type.Literal("nat"), Type.Literal("host"), Type.Literal("bridge"), Type.Literal("")]),
    ),
    hostname: Type.Optional(
      Type.String({
        pattern: "^[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,61}[a-zA-Z0-9])?$|^$",
        description: "A host name of at most 63 letters, digits, '.' or '-'",
      }),
    ),
    mac_addr: Type.Optional(
      Type.String({
        pattern: "^(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$|^$",
        description: "A MAC address, as 02:42:ac:11:00:02",
      }),
    ),
    dns: Type.Optional(
      Type.Array(Type.String({ pattern: "^[0-9a-fA-F:.]{2,45}$", description: "An IP address" }), { maxItems: 16 }),
    ),
    port: Type.Optional(Type.Array(PortForward, { maxItems: 1024 })),
    expose_port: Type.Optional(Type.Array(Port, { maxItems: 1024 })),
    interface: Type.Optional(InterfaceName),
    join: Type.Optional(Type.Boolean()),
    bridge: Type.Optional(Bridge),
  },
  closed,
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
function keyed<K extends TSchema, V extends TSchema>(key: K, value: V, options: { max: number; description: string }) {
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
    host: Type.Optional(
      keyed(SharePath, HostMount, { max: 256, description: "/SHARE/folder -> where it is mounted" }),
    ),
    container: Type.Optional(Type.Array(ContainerName, { maxItems: 64 })),
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

const unused = Type.Optional(Type.Literal("", { description: "Only empty" }));

/**
 * What the original station's own page sends beside the documented fields. It has no meaning here, so only the page's own
 * forms are taken: whoever means something else by it must not believe that it was done.
 */
const pageFields = {
  changed: Type.Optional(
    Type.Unsafe<Record<string, unknown>>({ type: "object", description: "Which parts of the page's form were changed" }),
  ),
  image_from: Type.Optional(
    Type.Object(
      {
        from: Type.Optional(text(64, "Where the page took the image from")),
        local: unused,
        nas: unused,
        upload_folder: unused,
      },
      closed,
    ),
  ),
  restart: Type.Optional(
    Type.Object(
      { checked: Type.Optional(Type.Boolean()), required: Type.Optional(Type.Boolean()) },
      { ...closed, description: "An object of checked and required; whether it starts at boot is autostart" },
    ),
  ),
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
    links: Type.Optional(
      keyed(ContainerName, ContainerName, { max: 64, description: "Container name -> alias" }),
    ),
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
