import { engineContract } from "./contract.ts";
import { dockerEnv } from "./docker-env.ts";

engineContract("docker", dockerEnv);
