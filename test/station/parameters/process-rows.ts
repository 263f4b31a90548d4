import assert from "node:assert/strict";
import { readlinkSync } from "node:fs";
import { cgroupFile, cgroupV2, entries, statusField } from "../../engines/kernel.ts";
import { testEngines } from "../../support/engines.ts";
import type { Row } from "./row.ts";

/** Stays, and keeps its arguments where /proc shows them. */
const stay = "sleep 1000; :";

/** The first process, where the image comes from, and what has no effect. */
export const processRows: readonly Row[] = [
  {
    name: "nothing",
    covers: ["type", "repository", "image", "tag", "name"],
    body: {},
    check({ pid, inspect, task }) {
      assert.deepEqual(entries(pid, "cmdline"), ["sh"]);
      assert.equal(inspect.Config.Image, "busybox:latest");
      assert.equal(inspect.HostConfig.RestartPolicy.Name, "no");
      assert.equal(inspect.HostConfig.Privileged, false);
      assert.match(inspect.Config.Labels["gantry.task"] ?? "", new RegExp(`^[0-9a-f-]{36}/${task.id}$`));
      assert.notEqual(readlinkSync(`/proc/${pid}/ns/net`), readlinkSync("/proc/self/ns/net"));
      assert.equal(
        cgroupV2 ? cgroupFile(pid, "cpu", "cpu.max") : cgroupFile(pid, "cpu", "cpu.cfs_quota_us"),
        cgroupV2 ? "max 100000" : "-1",
      );
    },
  },
  {
    name: "texts",
    covers: ["entrypoint", "command"],
    body: { entrypoint: "/bin/sh -c", command: `'${stay}' "it's" two\\ words '' '$HOME' ü` },
    check: ({ pid }) =>
      assert.deepEqual(entries(pid, "cmdline"), ["/bin/sh", "-c", stay, "it's", "two words", "", "$HOME", "ü"]),
  },
  {
    name: "lists",
    covers: ["entrypoint", "command"],
    body: { entrypoint: ["/bin/sh", "-c"], command: [stay, "it's", "two words", "", "a'b\"c", "--privileged"] },
    check: ({ pid }) =>
      assert.deepEqual(entries(pid, "cmdline"), [
        "/bin/sh",
        "-c",
        stay,
        "it's",
        "two words",
        "",
        "a'b\"c",
        "--privileged",
      ]),
  },
  {
    name: "empty",
    covers: ["entrypoint", "command", "user", "working_dir", "network.mode", "network.hostname", "network.mac_addr"],
    body: { entrypoint: "", command: "", user: "", working_dir: "", network: { mode: "", hostname: "", mac_addr: "" } },
    check: ({ pid }) => assert.deepEqual(entries(pid, "cmdline"), ["sh"], "the image's own"),
  },
  {
    name: "environment",
    covers: ["environment"],
    body: {
      environment: ["A=1", "B=two words", "C=x=y", "D=", "E=ü\nnewline", "LD_PRELOAD=/x.so", "DOCKER_HOST=tcp://evil"],
    },
    check({ pid }) {
      const found = entries(pid, "environ");
      for (const wanted of ["A=1", "B=two words", "C=x=y", "D=", "E=ü\nnewline", "LD_PRELOAD=/x.so"])
        assert.ok(found.includes(wanted), wanted);
      for (const own of found) assert.doesNotMatch(own, /GANTRY/);
    },
  },
  {
    name: "user",
    covers: ["user", "working_dir"],
    body: { user: "nobody", working_dir: "/var/new/place" },
    check({ pid }) {
      assert.match(statusField(pid, "Uid"), /^65534\s+65534\s/);
      assert.equal(readlinkSync(`/proc/${pid}/cwd`), "/var/new/place");
    },
  },
  {
    name: "numbers",
    covers: ["user", "working_dir"],
    body: { user: "1234:5678", working_dir: "/" },
    check({ pid }) {
      assert.match(statusField(pid, "Uid"), /^1234\s/);
      assert.match(statusField(pid, "Gid"), /^5678\s/);
      assert.equal(readlinkSync(`/proc/${pid}/cwd`), "/");
    },
  },
  {
    name: "autostart",
    covers: ["autostart"],
    body: { autostart: true },
    check: ({ inspect }) => assert.equal(inspect.HostConfig.RestartPolicy.Name, "always"),
  },
  {
    name: "no-autostart",
    covers: ["autostart", "privileged"],
    body: { autostart: false, privileged: false },
    check: ({ inspect }) => assert.equal(inspect.HostConfig.RestartPolicy.Name, "no"),
  },
  {
    name: "private",
    covers: ["registry_name", "repository"],
    body: { repository: "private", registry_name: "parameters", image: "private/app", tag: "1" },
    check: ({ inspect }) => assert.equal(inspect.Config.Image, `${testEngines().registryAuth}/private/app:1`),
  },
  {
    name: "local",
    covers: ["repository"],
    body: { repository: "local" },
    check: ({ inspect }) => assert.equal(inspect.Config.Image, "busybox:latest"),
  },
  {
    name: "page",
    covers: [
      "gpu",
      "resource.gpu",
      "changed",
      "image_from.from",
      "image_from.local",
      "image_from.nas",
      "image_from.upload_folder",
      "restart.checked",
      "restart.required",
      "download.description",
      "download.location",
      "download.icon",
      "description",
      "location",
      "icon",
    ],
    body: {
      gpu: false,
      changed: { network: true },
      image_from: { from: "dockerhub", local: "", nas: "", upload_folder: "" },
      restart: { checked: true, required: false },
      download: { description: "I am description.", location: "https://hub.docker.com/_/busybox/", icon: "" },
      description: "d",
      location: "l",
      icon: "i",
      resource: { gpu: [] },
    },
    check({ inspect, task }) {
      assert.equal(inspect.HostConfig.DeviceRequests, null);
      assert.deepEqual(inspect.HostConfig.Devices, []);
      assert.equal(inspect.HostConfig.RestartPolicy.Name, "no", "not a documented key: without effect");
      const { download } = task.params as { download: object };
      assert.deepEqual(Object.keys(download), ["description", "location", "icon"]);
    },
  },
];
