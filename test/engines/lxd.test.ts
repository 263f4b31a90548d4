import { engineContract } from "./contract.ts";
import { lxdEnv } from "./lxd-env.ts";

engineContract("lxd", lxdEnv, {
  registries: false,
  publishedPorts: false,
  imagesInUse: false,
  commits: false,
  reshapes: true,
});
