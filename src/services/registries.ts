import type { RegistryList, RegistryRequest } from "../api/registry.ts";
import { AppError, invalid } from "../errors.ts";
import type { NewRegistry, RegistryRow, RegistryStore } from "../storage/registry-store.ts";
import { registryUrl } from "./image-reference.ts";
import { authorize } from "./policy.ts";
import type { Secrets } from "./secrets.ts";
import type { RegistryService } from "./services.ts";
import type { Sessions } from "./sessions.ts";

/** Always there, always the first, never changed. */
const dockerHub: RegistryRow = {
  id: 1,
  name: "Docker Hub",
  url: "https://registry.hub.docker.com",
  username: "",
  password: "",
  version: "",
  trustCertificate: true,
  isDefault: false,
};

export function createRegistryService(deps: {
  sessions: Sessions;
  registries: RegistryStore;
  secrets: Secrets;
}): RegistryService {
  const { sessions, registries, secrets } = deps;

  async function all(): Promise<RegistryList> {
    const rows = [dockerHub, ...(await registries.list())];
    const standard = rows.find((row) => row.isDefault) ?? dockerHub;
    return { privateRegistry: standard.id, registries: rows.map(shown) };
  }

  function rowOf(request: RegistryRequest, before: RegistryRow | undefined): NewRegistry {
    const context = `registry ${request.name}`;
    return {
      name: request.name,
      url: registryUrl(request.url),
      username: request.username ?? before?.username ?? "",
      password:
        request.password !== undefined || !before
          ? secrets.seal(request.password ?? "", context)
          : resealed(before, context),
      version: request.version ?? before?.version ?? "",
      trustCertificate: request.enableTrustCert,
      isDefault: request.setToDefault ?? before?.isDefault ?? false,
    };
  }

  /** A renamed registry's password is bound to its new name. */
  function resealed(before: RegistryRow, context: string): string {
    return secrets.seal(secrets.open(before.password, `registry ${before.name}`), context);
  }

  async function add(request: RegistryRequest): Promise<void> {
    if ((await registries.add(rowOf(request, undefined))) === "taken") throw taken(request.name);
  }

  async function edit(request: RegistryRequest): Promise<void> {
    const oldName = request.oldname ?? request.name;
    refuseDockerHub(oldName, request.oldname === undefined ? "name" : "oldname");
    const before = await registries.get(oldName);
    if (!before) throw unknown(oldName);
    const answer = await registries.edit({ oldName, registry: rowOf(request, before) });
    if (answer === "taken") throw taken(request.name);
    if (answer === "unknown") throw unknown(oldName);
  }

  return {
    async list(caller) {
      authorize(sessions.authenticate(caller), "registry:list");
      return all();
    },
    async save(caller, request) {
      authorize(sessions.authenticate(caller), "registry:save");
      refuseDockerHub(request.name, "name");
      await (request.method === "add" ? add(request) : edit(request));
      return all();
    },
    async remove(caller, name) {
      authorize(sessions.authenticate(caller), "registry:remove");
      refuseDockerHub(name, "name");
      if (!(await registries.remove(name))) throw unknown(name);
      return all();
    },
  };
}

function shown(row: RegistryRow): RegistryList["registries"][number] {
  return {
    enableTrustCert: row.trustCertificate,
    id: row.id,
    metadata: row.password ? { crypt: true } : "",
    name: row.name,
    password: "",
    url: row.url,
    username: row.username,
    version: row.version,
  };
}

function refuseDockerHub(name: string, field: string): void {
  if (name === dockerHub.name) throw invalid(field, `must not be ${dockerHub.name}: that registry is built in`);
}

function taken(name: string): AppError {
  return new AppError("conflict", `A registry named ${name} exists already.`, { details: { field: "name" } });
}

function unknown(name: string): AppError {
  return new AppError("not_found", `There is no registry named ${name}.`);
}
