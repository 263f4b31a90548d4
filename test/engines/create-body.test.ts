import assert from "node:assert/strict";
import { test } from "node:test";

import { createBody, type CreateFacts } from "../../src/engines/docker/create/create-body.ts";
import { readLanPlan } from "../../src/engines/docker/lan-label.ts";
import { createPullMeter } from "../../src/engines/docker/images/pull-meter.ts";
import type { ContainerSpec } from "../../src/engines/container-spec.ts";
import type { PullProgress } from "../../src/engines/images.ts";
import { containerSpec } from "./container-spec.ts";

/** What the test machine has not: GPUs, newer Dockers, large images. */
const facts: CreateFacts = { version: "1.41", nodes: [], nvidia: false, gpuNodes: [] };
const translate = (spec: Partial<ContainerSpec>, changes: Partial<CreateFacts> = {}) =>
  createBody(containerSpec({ image: "a:1", ...spec }), { ...facts, ...changes }) as Record<string, any>;

test("every GPU: by NVIDIA's driver, else by its nodes", () => {
  const nvidia = translate({ gpu: true }, { nvidia: true, gpuNodes: ["/dev/dri/card0"] });
  assert.deepEqual(nvidia["HostConfig"].DeviceRequests, [{ Driver: "nvidia", Count: -1, Capabilities: [["gpu"]] }]);
  assert.deepEqual(nvidia["HostConfig"].Devices, []);
  assert.equal(nvidia["Labels"]["com.qnap.qcs.gpu"], "True");
  const card = { PathOnHost: "/dev/dri/card0", PathInContainer: "/dev/dri/card0", CgroupPermissions: "rwm" };
  const other = translate({ gpu: true }, { gpuNodes: ["/dev/dri/card0"] });
  assert.deepEqual(other["HostConfig"].Devices, [card]);
  assert.equal(other["HostConfig"].DeviceRequests, undefined);
  assert.deepEqual(translate({ gpu: false }, { gpuNodes: ["/dev/dri/card0"] })["HostConfig"].Devices, []);
});

test("a newer Docker is told the MAC address with the network", () => {
  const macAddress = "02:42:ac:11:00:09";
  assert.equal(translate({ macAddress })["NetworkingConfig"], undefined);
  const body = translate({ macAddress }, { version: "1.44" });
  assert.deepEqual(body["NetworkingConfig"], { EndpointsConfig: { bridge: { MacAddress: macAddress } } });
  assert.equal(body["MacAddress"], macAddress);
});

test("only nodes of the majors that a rule names, with the rule's access", () => {
  const nodes = [
    { path: "/dev/video0", kind: "c" as const, major: 81 },
    { path: "/dev/loop0", kind: "b" as const, major: 81 },
    { path: "/dev/snd/seq", kind: "c" as const, major: 116 },
  ];
  const { HostConfig } = translate({ devices: [{ majors: [{ kind: "c", major: 81 }], access: "r" }] }, { nodes });
  assert.deepEqual(HostConfig.Devices, [
    { PathOnHost: "/dev/video0", PathInContainer: "/dev/video0", CgroupPermissions: "r" },
  ]);
  assert.deepEqual(HostConfig.DeviceCgroupRules, ["c 81:* r"]);
});

test("what is needed to redo a LAN address is in the label, and a damaged label is refused", () => {
  const network = { mode: "bridge", interface: "br0", join: true, address: { by: "dhcp" } } as const;
  const body = translate({ network, ports: [{ host: 1, container: 1, protocol: "tcp" }] });
  assert.equal(body["HostConfig"].NetworkMode, "none");
  assert.deepEqual(body["HostConfig"].PortBindings, {});
  const label = body["Labels"]["gantry.lan"] as string;
  const plan = readLanPlan(label);
  assert.match(plan?.mac ?? "", /^02(:[0-9a-f]{2}){5}$/);
  assert.deepEqual({ ...plan, mac: "" }, { interface: "br0", join: true, address: { by: "dhcp" }, mac: "" });
  assert.equal(readLanPlan(undefined), undefined);
  for (const bad of [
    "",
    "1",
    "null",
    "{}",
    label.replace("br0", "-x"),
    label.replace("02:", "02 "),
    label.replace("dhcp", "x"),
  ]) {
    assert.throws(() => readLanPlan(bad), { code: "engine_failed" }, bad);
  }
});

test("progress: layers of unknown size count, and nothing is taken back", async () => {
  const steps: PullProgress[] = [];
  const meter = createPullMeter((step) => steps.push(step));
  const layer = async (id: string, status: string, current?: number, total?: number): Promise<void> => {
    meter.add({ id, status, progressDetail: current === undefined ? {} : { current, total: total ?? 0 } });
    // One in a tenth of a second is told.
    await new Promise((resolve) => setTimeout(resolve, 110));
  };
  meter.add({ id: "latest", status: "Pulling from library/x" });
  meter.add({ id: "a", status: "Pulling fs layer" });
  meter.add({ id: "c", status: "Already exists" });
  await layer("b", "Pulling fs layer");
  await layer("a", "Downloading", 50, 100);
  await layer("a", "Download complete");
  await layer("b", "Downloading", 0, 900);
  await layer("b", "Downloading", 900, 900);
  await layer("a", "Extracting", 100, 100);
  for (const id of ["a", "b"]) await layer(id, "Pull complete");
  meter.finish();
  assert.deepEqual(
    steps.map(({ percent }) => percent),
    [-1, 20, 40, 80, 82, 99, 100],
  );
  assert.deepEqual(steps.map(({ text }) => text).slice(0, 2), ["Download image", "Download image:20%"]);
});

test("progress is told at most ten times a second", () => {
  const steps: PullProgress[] = [];
  const meter = createPullMeter((step) => steps.push(step));
  for (let current = 1; current <= 1000; current++) {
    meter.add({ id: "a", status: "Downloading", progressDetail: { current, total: 1000 } });
  }
  meter.finish();
  assert.ok(steps.length <= 4, String(steps.length));
  assert.equal(steps.at(-1)?.percent, 100);
});
