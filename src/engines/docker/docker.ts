import type { Container, Engine, EngineInfo } from "../engine.ts";
import { findSocketOwner } from "../processes/socket-owner.ts";
import { createContainers } from "./containers.ts";
import { dockerEvents } from "./events.ts";
import { createDockerHttp } from "./client/http.ts";
import { createImages } from "./images/images.ts";
import { createLan } from "./network/lan.ts";
import { withNamedFailures } from "./named-failures.ts";
import { listNetworks } from "./network/networks.ts";

/** Which Docker is driven. */
export interface DockerOptions {
  /** unix:///path or tcp://host:port. Nothing need answer there yet. */
  address: string;
}

const scheme = "unix://";

/** Returns a driver of Docker, or of what speaks its API (Podman), through the Engine REST API. */
export function createDockerEngine(options: DockerOptions): Engine {
  const http = createDockerHttp(options.address);
  const local = options.address.startsWith(scheme);
  const lan = createLan(http);

  async function info(): Promise<EngineInfo> {
    const answer = await http.probe<{ ServerVersion?: string; Driver?: string }>("/info");
    return {
      version: answer.ServerVersion ?? "",
      ...(answer.Driver !== undefined && { storageDriver: answer.Driver }),
    };
  }

  return {
    type: "docker",
    capabilities: {
      registries: true,
      hostNetwork: true,
      processOptions: true,
      engineVolumes: true,
      nameServers: true,
      publishedPorts: true,
      imagesInUse: true,
      makesDeviceNodes: true,
      commits: true,
      renamesRunning: true,
      sizes: false,
      reshapes: false,
      hostNames: false,
      local,
    },
    containers: withNamedFailures(http, createContainers(http)),
    images: withNamedFailures(http, createImages(http)),
    networks: (signal?: AbortSignal) => listNetworks(http, signal),
    info,
    daemon: async () => (local ? findSocketOwner(options.address.slice(scheme.length)) : undefined),
    events: (signal: AbortSignal) => dockerEvents(http, signal),
    attachNetwork: (container: Container, signal?: AbortSignal) => lan.attach(container, signal),
    // Docker finishes or forgets what it was asked; what it finished is found by its mark.
    recover: async () => undefined,
    close() {
      lan.close();
      http.close();
    },
  };
}
