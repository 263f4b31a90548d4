import { Type, type Static } from "typebox";
import { ContainerName } from "./container-name.ts";
import { CommandLine, ContainerType, CreateRequest, ImageName, ImageTag } from "./create.ts";

/** Verbs of one container: QNAP's documents, chapters container and resource. */

const closed = { additionalProperties: false };

export const ContainerPlace = Type.Object({
  type: ContainerType,
  id: Type.String({
    pattern: "^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$",
    description: "A container's id or name",
  }),
});

/** A container, and whether it is to start when the host boots. */
export const AutostartPath = Type.Object({
  ...ContainerPlace.properties,
  state: Type.Union([Type.Literal("on"), Type.Literal("off")]),
});

/** The body of `background/create`. `repository` may be absent: then the usual one of the type is taken. */
export const SyncCreateRequest = Type.Object(
  { ...CreateRequest.properties, repository: Type.Optional(CreateRequest.properties.repository) },
  { ...closed, $id: "SyncCreateRequest" },
);
export type SyncCreateRequest = Static<typeof SyncCreateRequest>;

export const StopQuery = Type.Object({
  timeout: Type.Optional(
    Type.String({
      pattern: "^(?:[0-9]|[1-5][0-9]|60)$",
      description: "0 to 60: seconds that it is given to end by itself",
    }),
  ),
});

const flag = (description: string) =>
  Type.Optional(Type.String({ pattern: "^(?:[tT]rue|[fF]alse|0|1)$", description: `true or false: ${description}` }));

export const RemoveQuery = Type.Object({
  remove_volumes: flag("its anonymous volumes go too"),
  force: flag("although it runs"),
});

export const LogsQuery = Type.Object({
  tail: Type.Optional(
    Type.String({ pattern: "^[1-9][0-9]{0,5}$", description: "1 to 999999: so many lines from the end" }),
  ),
});

/** The end of a log: an object for docker, the console as one text for the others. */
export const Logs = Type.Union([
  Type.Object({
    logs: Type.String(),
    tail: Type.Integer({ description: "The lines that were asked for" }),
    truncated: Type.Optional(
      Type.Literal(true, { description: "Lines that were asked for are cut off: only the last MiB is shown" }),
    ),
  }),
  Type.String(),
]);
export type Logs = Static<typeof Logs>;

export const RenameRequest = Type.Object({ name: ContainerName }, { ...closed, $id: "RenameRequest" });

export const CommitRequest = Type.Object(
  {
    repository: ImageName,
    tag: Type.Optional(ImageTag),
    author: Type.Optional(Type.String({ maxLength: 256 })),
    message: Type.Optional(Type.String({ maxLength: 4096 })),
  },
  { ...closed, $id: "CommitRequest" },
);
export type CommitRequest = Static<typeof CommitRequest>;

export const CommitAnswer = Type.Object({ image_id: Type.String() });

export const ExecRequest = Type.Object(
  {
    command: CommandLine,
    user: Type.Optional(
      Type.String({
        pattern: "^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,31}(?::[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,31})?$",
        description: "A user, or user:group",
      }),
    ),
    working_dir: Type.Optional(
      Type.String({ pattern: "^/[^\\u0000-\\u001f\\u007f]*$", maxLength: 4096, description: "An absolute path" }),
    ),
    environment: Type.Optional(
      Type.Array(Type.String({ pattern: "^[^=\\u0000]+=[^\\u0000]*$", maxLength: 131072, description: "NAME=VALUE" }), {
        maxItems: 1024,
      }),
    ),
    timeout: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 110, description: "Seconds after which it is killed; 60 without it" }),
    ),
  },
  { ...closed, $id: "ExecRequest" },
);
export type ExecRequest = Static<typeof ExecRequest>;

export const ExecAnswer = Type.Object({
  exitCode: Type.Integer(),
  stdout: Type.String(),
  stderr: Type.String(),
  truncated: Type.Boolean({
    description: "More was written than is shown: the first MiB of each, or what the engine gave",
  }),
});
export type ExecAnswer = Static<typeof ExecAnswer>;

/** The settings and resources of a container. */
export const ResourceAnswer = Type.Object(
  {
    arch: Type.String(),
    autostart: Type.Boolean(),
    image: Type.String(),
    name: Type.String(),
    network: Type.Object({
      hostname: Type.String(),
      mode: Type.String({ description: "nat, host, bridge or a network's name; empty for nat in LXC" }),
      port: Type.Array(Type.Array(Type.Union([Type.Integer(), Type.String()]))),
    }),
    privileged: Type.Optional(Type.Literal(true, { description: "Root in it is root of the host, or can become it" })),
    resource: Type.Object({
      device: Type.Array(Type.Array(Type.String())),
      limit: Type.Object({
        cputime: Type.Optional(Type.Integer()),
        cpuweight: Type.Optional(Type.Integer()),
        memory: Type.Optional(Type.String()),
      }),
    }),
    type: Type.String(),
    version: Type.String(),
    volume: Type.Object({
      container: Type.Array(Type.String()),
      host: Type.Record(Type.String(), Type.Object({ bind: Type.String(), ro: Type.Boolean() })),
    }),
  },
  { $id: "ResourceAnswer" },
);
export type ResourceAnswer = Static<typeof ResourceAnswer>;
