import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { dockerApi, removeContainers } from "../support/docker-cli.ts";
import { startStation, type TestStation } from "../support/station.ts";

/** What is shown of containers that others made, and values of requests that several clients write in several ways. */
const create = { type: "docker", repository: "local", image: "busybox", tag: "latest" };

let station: TestStation;
before(async () => {
  station = await startStation();
  const pulled = await station.client.add("image_download", { ...create, repository: "dockerhub", tag: "" });
  assert.equal((await station.client.ended(pulled.id)).error, undefined);
  assert.equal(pulled.name, "busybox:latest", "an empty tag means latest");
});
after(async () => {
  await station.close();
  await removeContainers("values-");
  for (const name of foreign) await dockerApi("DELETE", `/images/${name}:latest?noprune=1`);
});

const foreign = ["portainer/portainer", "127.0.0.1:5000/a/b"];

interface Shown {
  image: string;
  version: string;
  autostart: boolean;
}

/** Makes a container behind the station's back, and waits until the station has seen it. */
async function foreignContainer(name: string, body: Record<string, unknown>): Promise<void> {
  await dockerApi("POST", `/containers/create?name=${name}`, body);
  while ((await station.client.send("GET", `/container/docker/${name}`)).status !== 200);
}

test("a container's image is shown by its name and version, however it was named", async () => {
  const { Id } = await dockerApi<{ Id: string }>("GET", "/images/busybox:latest/json");
  for (const name of foreign) await dockerApi("POST", `/images/busybox:latest/tag?repo=${name}&tag=latest`);
  const short = Id.replace("sha256:", "").slice(0, 12);
  const cases: [asked: string, image: string, version: string, shown: string][] = [
    ["busybox", "busybox", "latest", "busybox:latest"],
    ["portainer/portainer", "portainer/portainer", "latest", "portainer/portainer:latest"],
    ["127.0.0.1:5000/a/b", "127.0.0.1:5000/a/b", "latest", "127.0.0.1:5000/a/b:latest"],
    [Id, Id, "", Id],
    [short, short, "", short],
  ];
  for (const [index, [asked, image, version, shown]] of cases.entries()) {
    const name = `values-image-${index}`;
    await foreignContainer(name, { Image: asked });
    const settings = await station.client.ok<Shown>("GET", `/container/docker/${name}/all`);
    assert.deepEqual([settings.image, settings.version], [image, version], asked);
    assert.equal((await station.client.ok<Shown>("GET", `/container/docker/${name}`)).image, shown);
  }
});

test("autostart on leaves a policy that is on already; off and on again gives always", async () => {
  for (const policy of [{ Name: "unless-stopped" }, { Name: "on-failure", MaximumRetryCount: 3 }, { Name: "always" }]) {
    const name = `values-${policy.Name}`;
    await foreignContainer(name, { Image: "busybox", HostConfig: { RestartPolicy: policy } });
    const turn = async (state: string) => {
      const { autostart } = await station.client.ok<Shown>("PUT", `/container/docker/${name}/autostart/${state}`);
      assert.equal(autostart, state === "on");
      const { HostConfig } = await dockerApi<{ HostConfig: { RestartPolicy: object } }>(
        "GET",
        `/containers/${name}/json`,
      );
      return HostConfig.RestartPolicy;
    };
    assert.deepEqual(await turn("on"), { MaximumRetryCount: 0, ...policy });
    assert.deepEqual(await turn("off"), { Name: "no", MaximumRetryCount: 0 });
    assert.deepEqual(await turn("on"), { Name: "always", MaximumRetryCount: 0 });
  }
});

test("an empty tag means latest in a create, a commit and a removal", async () => {
  const made = await station.client.ok<{ image: string }>("POST", "/container", {
    ...create,
    tag: "",
    name: "values-tag",
  });
  assert.equal(made.image, "busybox:latest");
  const commit = { repository: "values-commit", tag: "" };
  const answer = await station.client.ok<{ image_id: string }>("POST", "/container/docker/values-tag/commit", commit);
  const { RepoTags } = await dockerApi<{ RepoTags: string[] }>("GET", `/images/${answer.image_id}/json`);
  assert.deepEqual(RepoTags, ["values-commit:latest"]);
  const removal = { type: "docker", image: "values-commit", tag: "", id: answer.image_id };
  const task = await station.client.add("image_remove", removal);
  assert.deepEqual([task.name, task.params], ["values-commit:latest", removal], "the request is shown as sent");
  assert.equal((await station.client.ended(task.id)).error, undefined);
});
