import { Type } from "typebox";

const closed = { additionalProperties: false };

const Port = Type.Integer({ minimum: 1, maximum: 65535 });
const PortForward = Type.Tuple([Port, Port, Type.Union([Type.Literal("tcp"), Type.Literal("udp")])], {
  description: "[host port, container port, tcp or udp]",
});

const IPv4 = "(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])";
const IPv4Address = Type.String({ pattern: `^${IPv4}$`, description: "An IPv4 address" });
const InterfaceName = Type.String({
  pattern: "^[a-zA-Z0-9][a-zA-Z0-9_.:-]{0,14}$",
  description: "A network interface",
});

/** The object that the original station's page sends for `mode: "bridge"`. */
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

/** The network of a container. */
export const Network = Type.Object(
  {
    mode: Type.Optional(
      Type.String({
        pattern: "^(?:[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127})?$",
        description: "nat, host, bridge, empty, or the name of a bridge of this host or of a network of Docker",
      }),
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
