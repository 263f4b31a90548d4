import type { Async } from "./async.ts";

/** A registry from which images are pulled. */
export interface RegistryRow {
  /** Number of the registry. */
  id: number;
  /** Name by which requests refer to it; unique. */
  name: string;
  /** Address of the registry. */
  url: string;
  /** User at the registry; "" for none. */
  username: string;
  /** The password, encrypted by services (AES-256-GCM) and in base64; "" for none. */
  password: string;
  /** Version of the registry's API, as the user has saved it. */
  version: string;
  /** True: the registry's certificate is trusted without a check. */
  trustCertificate: boolean;
  /** True for at most one registry: requests without a registry use it. */
  isDefault: boolean;
  /** True: an admin has saved it although it leads to this host or a private network. */
  inside: boolean;
}

export type NewRegistry = Omit<RegistryRow, "id">;

export interface RegistryVerbs {
  /** Lists all registries, by their ids. */
  list(): RegistryRow[];
  /** Returns the registry with this name, if any. */
  get(name: string): RegistryRow | undefined;
  /** Adds a registry. Returns `taken` if another one has its name. */
  add(registry: NewRegistry): { id: number } | "taken";
  /** Replaces the registry `oldName`. Returns `unknown` without such a one, `taken` if another one has the new name. */
  edit(edit: { oldName: string; registry: NewRegistry }): "done" | "taken" | "unknown";
  /** Removes a registry. Returns false if there is none with this name. */
  remove(name: string): boolean;
}

export type RegistryStore = Async<RegistryVerbs>;
