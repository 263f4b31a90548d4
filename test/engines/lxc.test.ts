import { engineContract } from "./contract.ts";
import { lxcEnv } from "./lxc-env.ts";

engineContract("lxc", lxcEnv, {
  registries: false,
  publishedPorts: false,
  imagesInUse: false,
  commits: false,
  reshapes: true,
});
