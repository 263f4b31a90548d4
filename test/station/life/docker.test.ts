import { dockerWorld } from "./worlds.ts";
import { verbTests } from "./verbs.ts";

verbTests("docker", dockerWorld);
