import type { AddressInfo, Server } from "node:net";
import type { Config } from "./config/config.ts";

/** Ports of this host that nobody is to reach through the station: its own ones, and Docker's, where it listens on one. */
export function createOwnPorts({ listen, openvz, dockerTls, docker, dockerHost = "" }: Config) {
  const engine = /:(\d+)\/?$/.exec(docker ?? dockerHost)?.[1];
  const ports = new Set([listen, openvz.listen, dockerTls].flatMap((address) => address?.port ?? []));
  if (engine !== undefined) ports.add(Number(engine));
  return {
    list: (): number[] => [...ports],
    /** Adds the port that a server listens on, and returns it: port 0 has taken a free one. */
    add({ server }: { server: Server }): number {
      const { port } = server.address() as AddressInfo;
      ports.add(port);
      return port;
    },
  };
}

export type OwnPorts = ReturnType<typeof createOwnPorts>;
