import { containerRestart } from "../container/restart.ts";
import { defineJob } from "./job.ts";

/** The job that restarts a container. */
export const openvzRestart = defineJob("openvz_restart", containerRestart);
