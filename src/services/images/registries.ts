import type { RegistryList, RegistryRequest } from "../../api/registry.ts";
import { AppError, invalid } from "../../errors.ts";
import type { NewRegistry, RegistryRow, RegistryStore } from "../../storage/registry-store.ts";
import { registryUrl } from "../planning/image-reference.ts";
import { mask } from "../secrets/masking.ts";
import { authorize } from "../access/policy.ts";
import type { CheckRegistry } from "../planning/registry-check.ts";
import type { Secrets } from "../secrets/secrets.ts";
import type { RegistryService } from "../contract/services.ts";
import type { Sessions } from "../accounts/sessions.ts";

/** The built-in registry: always the first of the list, and never changed. */
const dockerHub: RegistryRow = {
  id: 1,
  name: "Docker Hub",
  url: "https://registry.hub.docker.com",
  username: "",
  password: "",
  version: "",
  trustCertificate: true,
  isDefault: false,
  inside: false,
};

export interface RegistryOptions {
  /** Tells who calls. */
  sessions: Sessions;
  /** The store of registries. */
  registries: RegistryStore;
  /** Seals and opens their passwords. */
  secrets: Secrets;
  /** Tells where a registry's address leads. */
  checkRegistry: CheckRegistry;
}

/** Makes the service of the saved registries. */
export function createRegistryService({
  sessions,
  registries,
  secrets,
  checkRegistry,
}: RegistryOptions): RegistryService {
  async function all(): Promise<RegistryList> {
    const rows = [dockerHub, ...(await registries.list())];
    const standard = rows.find((row) => row.isDefault) ?? dockerHub;
    return { privateRegistry: standard.id, registries: rows.map(registryAnswer) };
  }

  async function rowOf(request: RegistryRequest, before: RegistryRow | undefined): Promise<NewRegistry> {
    const url = registryUrl(request.url);
    const password = passwordOf(secrets, request, url, before);
    const { refusal, inside } = await checkRegistry(url);
    if (refusal !== undefined) throw invalid("url", `must not lead to ${refusal}`);
    return {
      name: request.name,
      url,
      username: request.username ?? before?.username ?? "",
      password,
      version: request.version ?? before?.version ?? "",
      trustCertificate: request.enableTrustCert,
      isDefault: request.setToDefault ?? before?.isDefault ?? false,
      inside,
    };
  }

  async function add(request: RegistryRequest): Promise<void> {
    if ((await registries.add(await rowOf(request, undefined))) === "taken") throw nameTaken(request.name);
  }

  async function edit(request: RegistryRequest): Promise<void> {
    const oldName = request.oldname ?? request.name;
    refuseDockerHub(oldName, request.oldname === undefined ? "name" : "oldname");
    const before = await registries.get(oldName);
    if (!before) throw unknown(oldName);
    const answer = await registries.edit({ oldName, registry: await rowOf(request, before) });
    if (answer === "taken") throw nameTaken(request.name);
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

/**
 * Returns the password to keep, sealed. The mask, an empty text and an absent field keep the stored one for the user and
 * the place that it was given for; an empty user name drops it.
 */
function passwordOf(
  secrets: Secrets,
  { name, username, password }: RegistryRequest,
  url: string,
  before: RegistryRow | undefined,
): string {
  const context = `registry ${name}`;
  const isGiven = password !== undefined && password !== "" && password !== mask;
  if (isGiven && username === "") throw invalid("password", "goes with a username");
  if (isGiven) return secrets.seal(password, context);
  if (before && username === "") return "";
  if (!before?.password) {
    if (password !== mask) return "";
    throw invalid("password", `must be given: ${mask} stands for a stored password, and there is none`);
  }
  if (before.url !== url || (username !== undefined && username !== before.username))
    throw invalid("password", "must be given again: the stored one belongs to another url or username");
  // A renamed registry's password is bound to its new name.
  return secrets.seal(secrets.open(before.password, `registry ${before.name}`), context);
}

/** Returns a registry as the API shows it, without its password. */
function registryAnswer(row: RegistryRow): RegistryList["registries"][number] {
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

function nameTaken(name: string): AppError {
  return new AppError("conflict", `A registry named ${name} exists already.`, { details: { field: "name" } });
}

function unknown(name: string): AppError {
  return new AppError("not_found", `There is no registry named ${name}.`);
}
