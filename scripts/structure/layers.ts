/**
 * Which folders of `src` each folder may import from. `errors.ts` and `util/` are open to all but `api/`. A folder that is
 * not named here may import nothing, and nobody may import it.
 */
export const layers: Readonly<Record<string, readonly string[]>> = {
  api: [],
  util: [],
  certificates: [],
  config: ["engines"],
  host: [],
  engines: [],
  numbers: [],
  storage: [],
  shares: ["engines/processes/child.ts"],
  gateway: ["certificates"],
  tasks: ["storage"],
  inventory: ["engines"],
  forwarding: ["engines"],
  services: [
    "api",
    "certificates",
    "engines",
    "forwarding",
    "host",
    "inventory",
    "numbers",
    "shares",
    "storage",
    "tasks",
  ],
  http: ["api", "services/contract/services.ts"],
  setup: ["config"],
};
