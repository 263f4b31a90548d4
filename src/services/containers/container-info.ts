import type { ContainerInfo } from "../../api/container-info.ts";
import type { Container, EngineType } from "../../engines/engine.ts";
import { formatImageName, parseImageName } from "../../engines/image-name.ts";
import type { ContainerNumbers } from "../../numbers/container-sampler.ts";

const none: ContainerNumbers = { cpu: 0, memory: 0, rx: 0, tx: 0, ipaddress: [] };
/** Fields that the documents show of Docker's containers only. */
const docker = { externalIP: "", networkMode: "", project: "", projectPath: "" };

/** Returns a container as every answer shows it: numbers only while it runs, an image's id where the engine has one. */
export function containerInfo(type: EngineType, container: Container, numbers = none): ContainerInfo {
  const { id, name, image, imageId, state, ports, privileged } = container;
  return {
    ...(state === "running" && { ...numbers, ipaddress: [...numbers.ipaddress] }),
    ...(type === "docker" && docker),
    id,
    image: formatImageName(parseImageName(type, image, imageId)),
    ...(type !== "lxc" && { imageID: imageId }),
    name,
    ...(privileged && { privileged }),
    state,
    tcpPort: ports.filter(({ protocol }) => protocol === "tcp").map(({ host }) => host),
    type,
  };
}
