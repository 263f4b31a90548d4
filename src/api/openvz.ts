import { Type, type Static } from "typebox";
import { ContainerName } from "./container-name.ts";

/** The containers-and-jobs API, as small hosting panels speak it. Its errors have a shape of their own. */

const closed = { additionalProperties: false };
const success = { message: Type.Literal("success") };
const Uuid = Type.String({ description: "A UUID" });

export const OpenvzCreate = Type.Object(
  {
    name: Type.String({ ...ContainerName, minLength: 1 }),
    ostemplate: Type.String({
      minLength: 1,
      maxLength: 255,
      description: "A template of the station, or a system image as debian-bookworm or ubuntu/jammy",
    }),
  },
  { additionalProperties: true, $id: "OpenvzCreate", description: "Other keys are passed over, and named in warnings" },
);
export type OpenvzCreate = Static<typeof OpenvzCreate>;

const parameter = (description: string) => Type.Optional(Type.String({ description }));

/** Parameters of a container that can be changed. Each is a text. */
export const OpenvzParameters = Type.Object(
  {
    hostname: parameter("A host name, as web1 or web1.example.com"),
    cpus: parameter("Cores, as 2 or 0.5"),
    memsize: parameter("A number, in memsize_units"),
    memsize_units: parameter("K, M, G or T, with or without B or iB behind; M when it is not given"),
    ipadd: parameter("IPv4 addresses with or without /prefix, several by comma: all that it has from now on"),
    size: parameter("The limit of its root file system: a number, in size_units"),
    size_units: parameter("As memsize_units"),
    nameserver: parameter("IP addresses, several by comma"),
    description: parameter("A text for people"),
  },
  closed,
);
export type OpenvzParameters = Static<typeof OpenvzParameters>;

export const OpenvzUpdate = Type.Object({ parameters: OpenvzParameters }, { ...closed, $id: "OpenvzUpdate" });
export type OpenvzUpdate = Static<typeof OpenvzUpdate>;

const OpenvzContainer = Type.Object({
  id: Uuid,
  name: Type.String(),
  ostemplate: Type.String(),
  parameters: Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()], {
    description: "The map that was sent last",
  }),
  created_at: Type.String({ description: "As 2020-10-16T15:16:16Z" }),
  engine: Type.String({ description: "lxc or lxd" }),
  privileged: Type.Optional(Type.Literal(true, { description: "Root in it is root of the host: an admin's alone" })),
  state: Type.Optional(Type.String({ description: "running, paused or stopped; absent while its engine is away" })),
  effective: Type.Optional(
    Type.Record(Type.String(), Type.String(), { description: "All that applies, also of earlier updates" }),
  ),
});
export type OpenvzContainer = Static<typeof OpenvzContainer>;

export const OpenvzContainerAnswer = Type.Object({ ...success, container: OpenvzContainer });
export type OpenvzContainerAnswer = Static<typeof OpenvzContainerAnswer>;

export const OpenvzContainerList = Type.Object({ ...success, containers: Type.Array(OpenvzContainer) });
export type OpenvzContainerList = Static<typeof OpenvzContainerList>;

export const OpenvzAccepted = Type.Object({ ...success, job_id: Uuid });
export type OpenvzAccepted = Static<typeof OpenvzAccepted>;

export const OpenvzCreated = Type.Object({
  ...success,
  job_id: Uuid,
  warnings: Type.Optional(Type.Array(Type.String(), { description: "What was passed over, a sentence each" })),
});
export type OpenvzCreated = Static<typeof OpenvzCreated>;

const restart = Type.Optional(
  Type.Literal(true, { description: "The container is stopped and started for this change" }),
);

export const OpenvzUpdated = Type.Object({ ...success, code: Type.Literal(0), job_id: Uuid, restart });
export type OpenvzUpdated = Static<typeof OpenvzUpdated>;

const job = {
  status: Type.Union([Type.Literal("pending"), Type.Literal("done"), Type.Literal("failed")]),
  entity_type: Type.Optional(Type.Literal("container", { description: "Only when done" })),
  entity_id: Type.Optional(Uuid),
  error: Type.Optional(Type.String({ description: "Why it failed" })),
  restart,
};

export const OpenvzJobAnswer = Type.Object({ ...success, ...job });
export type OpenvzJobAnswer = Static<typeof OpenvzJobAnswer>;

const OpenvzListedJob = Type.Object({ id: Uuid, action: Type.String(), created_at: Type.String(), ...job });
export type OpenvzListedJob = Static<typeof OpenvzListedJob>;

export const OpenvzJobList = Type.Object({ ...success, jobs: Type.Array(OpenvzListedJob) });
export type OpenvzJobList = Static<typeof OpenvzJobList>;

/** The form of every error below the paths of this API. */
export const OpenvzError = Type.Object({
  code: Type.Union([Type.Literal(100), Type.Literal(200)], { description: "100: the request; 200: the station" }),
  message: Type.String(),
});
