import { tmpdir } from "node:os";

import { systemContainers } from "../capabilities.ts";
import type { Container, Engine, EngineEvent, EngineInfo } from "../engine.ts";
import { allowForwarding } from "../network/bridge-firewall.ts";
import { findSocketOwner } from "../processes/socket-owner.ts";
import { createContainers } from "./containers.ts";
import { createLxdEvents } from "./events.ts";
import { createLxdHttp } from "./client/http.ts";
import { createImages } from "./images/images.ts";
import { instancePath, type Instance } from "./client/instance.ts";
import { createOperations } from "./client/operations.ts";
import { defaultJudge } from "../system-images/connection-guard.ts";
import type { RemoteOptions } from "../system-images/remote.ts";
import type { SystemImages } from "../system-images/system-images.ts";

/** Which LXD is driven. */
export interface LxdOptions {
  /** Path of the unix socket. Nothing need answer there yet. */
  socket: string;
  /** Address of the simplestreams server that images are pulled from. */
  imageServer?: string;
  /** More of them, for references as `NAME:alias`. */
  imageServers?: Readonly<Record<string, string>>;
  /** Has Debian when the image server is not in reach. */
  systemImages?: SystemImages;
  /** How the station downloads images, and where to. */
  fetching?: RemoteOptions & { folder: string };
}

const usualServer = "https://images.lxd.canonical.com";

/** Returns a driver of LXD, or of what speaks its API (Incus: the common API only, untried), through its REST API. */
export function createLxdEngine(options: LxdOptions): Engine {
  const http = createLxdHttp(options.socket);
  const operations = createOperations(http);
  const events = createLxdEvents(http);
  const { imageServer: main = usualServer, imageServers: named = {}, systemImages } = options;
  const fetching = options.fetching ?? { folder: tmpdir(), env: {}, hosts: [], judge: defaultJudge };
  const servers = { main, named, systemImages, ...fetching };
  const images = createImages(http, operations, servers);

  async function info(): Promise<EngineInfo> {
    const { metadata } = await http.send<{ environment?: { server_version?: string } }>({
      path: "/1.0",
      timeout: 2000,
    });
    return { version: metadata.environment?.server_version ?? "" };
  }

  const containers = createContainers({ http, operations, events, images });

  /**
   * Yields events, in which a container that moves to another pool is not destroyed but updated, whatever LXD says of
   * its first one.
   */
  async function* withoutMoves(all: AsyncIterable<EngineEvent>): AsyncGenerator<EngineEvent, void, undefined> {
    for await (const event of all) {
      const moves = event.action === "destroy" && containers.isMoving(event.id);
      yield moves ? { ...event, action: "update" } : event;
    }
  }

  /**
   * Opens the firewall for a bridge that is not LXD's own, and sets again what an image may have set at its start. LXD
   * keeps the addresses itself.
   */
  async function attachNetwork(container: Container, signal?: AbortSignal): Promise<void> {
    const instance = await http.find<Instance>(instancePath(container.id), signal);
    for (const { nictype, parent } of Object.values(instance?.expanded_devices ?? {})) {
      if (nictype === "bridged" && parent !== undefined) await allowForwarding(parent, signal);
    }
    if (instance) await containers.restore(container, instance);
  }

  return {
    type: "lxd",
    capabilities: { ...systemContainers, hostNames: true },
    containers,
    images,
    info,
    daemon: () => findSocketOwner(options.socket),
    // It is subscribed by the call, and not when somebody reads.
    events: (signal) => withoutMoves(events.subscribe(signal)),
    attachNetwork,
    // LXD goes on with what it was asked; what it finished is found by its mark, what it did not is discarded when seen.
    recover: async () => undefined,
    close: () => http.close(),
  };
}
