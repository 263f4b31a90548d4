/** What an engine can do; all that is not here every engine does. */
export interface Capabilities {
  /** Layers are pulled from registries by name and tag, with a login where one is needed. */
  readonly registries: boolean;
  /** `network.mode` host. */
  readonly hostNetwork: boolean;
  /** Entry point, command, user, working directory and environment of the first process can be given. */
  readonly processOptions: boolean;
  /** Volumes of the engine's own (`volume.new`, `volume.container`) and links between containers. */
  readonly engineVolumes: boolean;
  /** Name servers can be given. */
  readonly nameServers: boolean;
  /**
   * The engine itself publishes `ports` on the host. Without it, it only keeps them, and gives a container that has some
   * an address for life: forwarding is the station's.
   */
  readonly publishedPorts: boolean;
  /** A container needs its image as long as it is there: `images.remove` is a `conflict`. */
  readonly imagesInUse: boolean;
  /**
   * A container that is not privileged makes nodes of the devices that it is given by itself. Without it, it has only those
   * whose nodes are on the host when it is created.
   */
  readonly makesDeviceNodes: boolean;
  /** An image can be made of a container: `containers.commit`. */
  readonly commits: boolean;
  /** A container can be renamed while it runs. */
  readonly renamesRunning: boolean;
  /** The size of a root file system can be limited. */
  readonly sizes: boolean;
  /** A container's limits, size, addresses and names are changed as it is: `containers.reshape`. */
  readonly reshapes: boolean;
  /** Names of containers are host names: letters, digits and `-`, the first a letter. */
  readonly hostNames: boolean;
  /** It runs on this host: folders and network interfaces of the host can be given to containers. */
  readonly local: boolean;
}

/** What LXC and LXD can do, which run system containers on this host. */
export const systemContainers: Omit<Capabilities, "hostNames"> = {
  registries: false,
  hostNetwork: false,
  processOptions: false,
  engineVolumes: false,
  nameServers: false,
  publishedPorts: false,
  imagesInUse: false,
  makesDeviceNodes: false,
  commits: false,
  renamesRunning: false,
  sizes: true,
  reshapes: true,
  local: true,
};
