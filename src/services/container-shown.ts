import type { Container, EngineType } from "../engines/engine.ts";

/** Read from the kernel; all of them are 0 for what does not run. */
export interface ContainerNumbers {
  /** Share of one core. */
  cpu: number;
  /** Bytes. */
  memory: number;
  /** Bytes per second. */
  rx: number;
  tx: number;
  ipaddress: string[];
}

export interface ShownContainer extends ContainerNumbers {
  id: string;
  name: string;
  image: string;
  imageID: string;
  state: string;
  type: string;
  /** Ports of the host. */
  tcpPort: number[];
}

const none: ContainerNumbers = { cpu: 0, memory: 0, rx: 0, tx: 0, ipaddress: [] };

/** A container as lists and answers show it. The documents have four more fields for docker, which are empty. */
export function shownContainer(type: EngineType, container: Container, numbers = none): ShownContainer {
  const { id, name, image, imageId: imageID, state, ports } = container;
  const tcpPort = ports.filter(({ protocol }) => protocol === "tcp").map(({ host }) => host);
  const unused = type === "docker" ? { externalIP: "", networkMode: "", project: "", projectPath: "" } : {};
  return { ...unused, id, name, image, imageID, state, type, ...numbers, tcpPort };
}
