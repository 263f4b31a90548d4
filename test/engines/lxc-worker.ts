import { createLxcEngine } from "../../src/engines/lxc/lxc.ts";
import type { ContainerSpec } from "../../src/engines/engine.ts";
import type { Rootfs, SystemImages } from "../../src/engines/system-images/system-images.ts";

/** Makes, starts or removes one container; run as a process of its own by a test that kills it. */
const { verb, spec, archive, path } = JSON.parse(process.argv[2] ?? "") as {
  verb: "create" | "start" | "remove";
  spec: ContainerSpec;
  archive: string;
  path: string;
};
const rootfs: Rootfs = { id: "f".repeat(64), archive, architecture: "x86_64", description: "", created: 0 };
const images = { rootfs: async () => rootfs } as unknown as SystemImages;
const engine = createLxcEngine({ path, images });
console.log("begun");
if (verb === "create") await engine.containers.create(spec);
else await engine.containers[verb](spec.name);
