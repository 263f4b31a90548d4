import { join } from "node:path";
import { after, before, beforeEach } from "node:test";
import type { RegistryList } from "../../src/api/registry.ts";
import type { Task } from "../../src/api/task.ts";
import { startDockerProxy, type DockerProxy, type EngineMoment } from "../support/docker-proxy.ts";
import { testEngines } from "../support/engines.ts";
import { startStation, type TestStation } from "../support/station.ts";

/** The tests' registry that asks for a login, as it is saved. */
export const mine = {
  name: "mine",
  url: `http://${testEngines().registryAuth}`,
  enableTrustCert: false,
  version: "v2",
};
/** Its image, as it is asked for. */
export const app = { type: "docker", repository: "private", registry_name: "mine", image: "private/app", tag: "1" };

/** A station for the tests of one file, without registries of its own before each. */
export interface RegistryWorld {
  station(): TestStation;
  save(method: "add" | "edit", fields: object): Promise<RegistryList>;
  refused(method: string, path: string, body?: unknown): Promise<[status: number, message: string]>;
  pull(changes?: object): Promise<Task>;
  /** Is told of the station's requests to Docker until the next test. */
  watch(watcher: (moment: EngineMoment) => void): void;
}

export function registryWorld(): RegistryWorld {
  let station: TestStation;
  let proxy: DockerProxy;
  const nobody = (): void => undefined;
  let watcher: (moment: EngineMoment) => void = nobody;

  before(async () => {
    const { folder } = testEngines();
    proxy = await startDockerProxy(join(folder, `registries-${process.pid}.sock`), (moment) => watcher(moment));
    station = await startStation({ docker: proxy.address });
  });
  after(async () => {
    await station.close();
    await proxy.close();
  });
  beforeEach(async () => {
    watcher = nobody;
    const { registries } = await station.client.ok<RegistryList>("GET", "/registry");
    for (const { name } of registries.slice(1))
      await station.client.ok("DELETE", `/registry/${encodeURIComponent(name)}`);
  });

  return {
    station: () => station,
    watch: (other) => void (watcher = other),
    save: (method, fields) => station.client.ok<RegistryList>("POST", "/registry", { method, ...fields }),
    async refused(method, path, body) {
      const answer = await station.client.send(method, path, body);
      const { error } = answer.body as { error?: { message: string } };
      return [answer.status, error?.message ?? ""];
    },
    async pull(changes = {}) {
      const { id } = await station.client.add("image_download", { ...app, ...changes });
      return station.client.ended(id);
    },
  };
}
