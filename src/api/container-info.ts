import { Type, type Static } from "typebox";
import { ContainerType } from "./create.ts";

const state = Type.Union([Type.Literal("running"), Type.Literal("stopped")]);
const whileRunning = (description: string) => ({ description: `${description}; only of what runs` });

/** A container as every answer shows it. */
export const ContainerInfo = Type.Object({
  cpu: Type.Optional(Type.Number(whileRunning("Share of one core: 1 = one core busy"))),
  externalIP: Type.Optional(Type.String({ description: "docker only" })),
  id: Type.String(),
  image: Type.String(),
  imageID: Type.Optional(Type.String({ description: "docker and lxd only" })),
  ipaddress: Type.Optional(Type.Array(Type.String(), whileRunning("IPv4 addresses, then IPv6"))),
  memory: Type.Optional(Type.Integer(whileRunning("Bytes, without the cache that would be given back"))),
  name: Type.String(),
  networkMode: Type.Optional(Type.String({ description: "docker only" })),
  project: Type.Optional(Type.String({ description: "docker only" })),
  privileged: Type.Optional(
    Type.Literal(true, { description: "Root in it is root of the host, or can become it: an admin's alone" }),
  ),
  projectPath: Type.Optional(Type.String({ description: "docker only" })),
  rx: Type.Optional(Type.Integer(whileRunning("Bytes received per second"))),
  state,
  tcpPort: Type.Array(Type.Integer(), { description: "Ports of the host that lead to it" }),
  tx: Type.Optional(Type.Integer(whileRunning("Bytes sent per second"))),
  type: ContainerType,
  unavailable: Type.Optional(
    Type.Boolean({ description: "true: its engine does not answer, and this is what was known of it last" }),
  ),
});
export type ContainerInfo = Static<typeof ContainerInfo>;

export const ContainerPath = Type.Object({ type: ContainerType, id: Type.String({ minLength: 1 }) });
export const WaitPath = Type.Object({ type: ContainerType, id: Type.String({ minLength: 1 }), state });
