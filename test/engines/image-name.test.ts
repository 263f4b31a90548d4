import assert from "node:assert/strict";
import { test } from "node:test";
import type { EngineType } from "../../src/engines/engine.ts";
import { formatImageName, parseImageName, versionOf } from "../../src/engines/image-name.ts";

const id = "1318b700e415001198d1bf66d260b07f67ca8a552b61b0da02b3832c778f221b";
const digest = `sha256:${"ab".repeat(32)}`;

test("what images are called, and how they are shown", () => {
  const cases: [EngineType, reference: string, image: string, version: string, shown: string][] = [
    ["docker", "busybox", "busybox", "latest", "busybox:latest"],
    ["docker", "ubuntu:22.04", "ubuntu", "22.04", "ubuntu:22.04"],
    ["docker", "portainer/portainer", "portainer/portainer", "latest", "portainer/portainer:latest"],
    ["docker", "127.0.0.1:5000/a/b", "127.0.0.1:5000/a/b", "latest", "127.0.0.1:5000/a/b:latest"],
    ["docker", "127.0.0.1:5000/a/b:1", "127.0.0.1:5000/a/b", "1", "127.0.0.1:5000/a/b:1"],
    ["docker", "[::1]:5000/a", "[::1]:5000/a", "latest", "[::1]:5000/a:latest"],
    ["docker", `busybox@${digest}`, "busybox", digest, `busybox@${digest}`],
    ["docker", `reg:5000/busybox:1@${digest}`, "reg:5000/busybox", "1", "reg:5000/busybox:1"],
    ["docker", `sha256:${id}`, `sha256:${id}`, "", `sha256:${id}`],
    ["docker", id, id, "", id],
    ["docker", id.slice(0, 12), id.slice(0, 12), "", id.slice(0, 12)],
    ["docker", "deadbeef0123", "deadbeef0123", "latest", "deadbeef0123:latest"],
    ["docker", "a/b", "a/b", "latest", "a/b:latest"],
    ["lxc", "ubuntu-bionic:latest", "ubuntu-bionic", "latest", "ubuntu-bionic:latest"],
    ["lxc", "debian/bookworm", "debian/bookworm", "latest", "debian/bookworm:latest"],
    ["lxd", "ubuntu/bionic", "ubuntu", "bionic", "ubuntu:bionic"],
    ["lxd", "ubuntu/bionic/cloud", "ubuntu/bionic", "cloud", "ubuntu/bionic:cloud"],
    ["lxd", "ubuntu", "ubuntu", "latest", "ubuntu:latest"],
    ["lxd", id.slice(0, 12), id.slice(0, 12), "", id.slice(0, 12)],
    ["lxd", "", "", "", ""],
  ];
  for (const [type, reference, image, version, shown] of cases) {
    const name = parseImageName(type, reference, type === "lxd" ? id : `sha256:${id}`);
    assert.deepEqual([name.image, versionOf(name), formatImageName(name)], [image, version, shown], reference);
  }
});

test("every name that is put together is taken apart into the same parts, and shown in one spelling", () => {
  const hosts = ["", "localhost/", "127.0.0.1:5000/", "registry.example.com/", "host:1/", "[::1]:443/"];
  const paths = ["a", "a-b_c", "library/ubuntu", "a/b/c", "x.y/z__w", "beef"];
  const tags = [undefined, "latest", "1", "v1.2_3-x", "A"];
  const digests = [undefined, digest];
  let tried = 0;
  for (const type of ["docker", "lxc", "lxd"] as const) {
    for (const host of hosts) {
      for (const path of paths) {
        for (const tag of tags) {
          for (const sum of digests) {
            // In LXD a slash is what separates the tag.
            if (type === "lxd" && tag === undefined && (host + path).includes("/")) continue;
            const mark = type === "lxd" ? "/" : ":";
            const reference = `${host}${path}${tag ? `${mark}${tag}` : ""}${sum ? `@${sum}` : ""}`;
            const name = parseImageName(type, reference);
            const expected = { image: `${host}${path}`, tag: tag ?? (sum ? "" : "latest") };
            assert.deepEqual(name, { ...expected, ...(sum && { digest: sum }) }, reference);
            const shown = formatImageName(name);
            assert.equal(formatImageName(parseImageName(type, shown)), shown, "shown again, it is the same");
            tried++;
          }
        }
      }
    }
  }
  assert.ok(tried > 800, String(tried));
});
