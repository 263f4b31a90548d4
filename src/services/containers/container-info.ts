import type { ContainerInfo } from "../../api/container-info.ts";
import type { Container, EngineType } from "../../engines/engine.ts";
import { formatImageName, parseImageName } from "../../engines/image-name.ts";
import type { ContainerNumbers } from "../../numbers/container-sampler.ts";

const none: ContainerNumbers = { cpu: 0, memory: 0, rx: 0, tx: 0, ipaddress: [] };
/** Fields that QNAP's documents show of Docker's containers only. */
const dockerFields = { externalIP: "", networkMode: "", project: "", projectPath: "" };
/** What QNAP's documents show of the containers of each engine, beside what they show of all. */
const shownFields: Readonly<Record<EngineType, { dockerFields: boolean; imageID: boolean }>> = {
  docker: { dockerFields: true, imageID: true },
  lxc: { dockerFields: false, imageID: false },
  lxd: { dockerFields: false, imageID: true },
};

/** Returns a container as every answer shows it: numbers only while it runs, an image's id where the engine has one. */
export function containerInfo(type: EngineType, container: Container, numbers = none): ContainerInfo {
  const { id, name, image, imageId, state, ports, privileged } = container;
  const shown = shownFields[type];
  return {
    ...(state === "running" && { ...numbers, ipaddress: [...numbers.ipaddress] }),
    ...(shown.dockerFields && dockerFields),
    id,
    image: formatImageName(parseImageName(type, image, imageId)),
    ...(shown.imageID && { imageID: imageId }),
    name,
    ...(privileged && { privileged }),
    state,
    tcpPort: ports.filter(({ protocol }) => protocol === "tcp").map(({ host }) => host),
    type,
  };
}
