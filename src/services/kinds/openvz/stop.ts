import { containerStop } from "../container/stop.ts";
import { defineJob } from "./job.ts";

/** The job that stops a container. */
export const openvzStop = defineJob("openvz_stop", containerStop);
