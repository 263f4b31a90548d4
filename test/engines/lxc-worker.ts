import { createLxcEngine } from "../../src/engines/lxc/lxc.ts";
import type { ContainerSpec } from "../../src/engines/container-spec.ts";
import type { Shape } from "../../src/engines/shape.ts";
import type { Rootfs, SystemImages } from "../../src/engines/system-images/system-images.ts";

/** Makes, starts, changes or removes one container; run as a process of its own by a test that kills it. */
const {
  verb,
  spec,
  archive,
  path,
  change = {},
} = JSON.parse(process.argv[2] ?? "") as {
  verb: "create" | "start" | "remove" | "reshape";
  spec: ContainerSpec;
  archive: string;
  path: string;
  change?: Shape;
};
const rootfs: Rootfs = { id: "f".repeat(64), archive, architecture: "x86_64", description: "", created: 0 };
const images = { rootfs: async () => rootfs } as unknown as SystemImages;
const engine = createLxcEngine({ path, images });
console.log("begun");
if (verb === "create") await engine.containers.create(spec);
else if (verb === "reshape") await engine.containers.reshape(spec.name, change);
else await engine.containers[verb](spec.name);
