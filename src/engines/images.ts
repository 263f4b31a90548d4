/** An image that an engine has. */
export interface Image {
  /** docker: sha256:DIGITS; lxc and lxd: 64 hex digits. */
  id: string;
  /** docker: `repository:tag`; lxd: aliases. */
  tags: readonly string[];
  /** Bytes. */
  size: number;
}

/** A login at a registry. */
export interface RegistryLogin {
  /** As the registry knows it. */
  username: string;
  /** A password or a token; never logged. */
  password: string;
  /** The registry's address, as Docker wants it in X-Registry-Auth. */
  serverAddress: string;
}

/** How far a pull is. */
export interface PullProgress {
  /** 0 to 100; -1 while the size is unknown. */
  percent: number;
  /** For a person, as "Download image:15%". */
  text: string;
}

/** How an image is pulled. */
export interface PullOptions {
  /** Absent: without a login. Only with `registries`. */
  login?: RegistryLogin;
  /** Is called with each progress; percentages never go back. */
  onProgress?: (progress: PullProgress) => void;
  /** Stops the pull, which throws `cancelled` then. */
  signal: AbortSignal;
}

/** The images of an engine. */
export interface Images {
  /** Returns all images, with or without tags. */
  list(signal?: AbortSignal): Promise<Image[]>;
  /** Returns the image with this id or `repository:tag`; undefined when there is none. */
  get(reference: string, signal?: AbortSignal): Promise<Image | undefined>;
  /** Pulls an image. Aborting closes the connection: the engine stops, and no image appears. */
  pull(reference: string, options: PullOptions): Promise<void>;
  /**
   * Removes a tag (`repository:tag` or an alias), and the image with its last one; by an id the image. `conflict` when
   * a container uses it.
   */
  remove(reference: string, signal?: AbortSignal): Promise<void>;
}
