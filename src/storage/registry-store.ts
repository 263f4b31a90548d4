import type { Async } from "./async.ts";

export interface RegistryRow {
  id: number;
  name: string;
  url: string;
  username: string;
  /** Sealed by services/secrets.ts, base64; empty = none. */
  password: string;
  version: string;
  trustCertificate: boolean;
  isDefault: boolean;
  /** When it was saved it led to this host or a private network, and an admin meant that. */
  inside: boolean;
}

export type NewRegistry = Omit<RegistryRow, "id">;

export interface RegistryVerbs {
  list(): RegistryRow[];
  get(name: string): RegistryRow | undefined;
  /** `taken`: another registry has this name. */
  add(registry: NewRegistry): { id: number } | "taken";
  /** `unknown`: no registry `oldName`. */
  edit(edit: { oldName: string; registry: NewRegistry }): "done" | "taken" | "unknown";
  remove(name: string): boolean;
}

export type RegistryStore = Async<RegistryVerbs>;
