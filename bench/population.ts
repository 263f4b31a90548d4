import { dockerApi } from "../test/support/docker-cli.ts";
import type { SystemWorld } from "../test/support/system-station.ts";

/** What the bars of the list were set for. */
export const population = { docker: 200, dockerRunning: 50, lxc: 50, lxd: 50 };
export const containers = population.docker + population.lxc + population.lxd;

const atOnce = 8;
const images = {
  lxc: { repository: "qnap", image: "ubuntu-bionic", tag: "latest" },
  lxd: { repository: "lxd", image: "ubuntu", tag: "bionic" },
} as const;

/** Makes them all; they go with the namespaces of the run. */
export async function populate({ station }: SystemWorld): Promise<void> {
  await each(population.docker, async (n) => {
    const body = { Image: "ubuntu:latest", Cmd: ["sleep", "100000"] };
    const { Id } = await dockerApi<{ Id: string }>("POST", `/containers/create?name=many-${n}`, body);
    if (n < population.dockerRunning) await dockerApi("POST", `/containers/${Id}/start`);
  });
  for (const type of ["lxc", "lxd"] as const) {
    await each(population[type], async (n) => {
      const { id } = await station.client.add("create", { type, name: `many-${n}`, ...images[type] });
      const { state, error } = await station.client.ended(id, 300_000);
      if (state !== "completed") throw new Error(`${type} container ${n}: ${error}`);
    });
  }
}

/** Several at a time. */
async function each(count: number, work: (n: number) => Promise<void>): Promise<void> {
  const turns = Array.from({ length: count }, (_, n) => n).values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const n of turns) await work(n);
    }),
  );
}
