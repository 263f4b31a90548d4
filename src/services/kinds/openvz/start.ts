import { containerStart } from "../container/start.ts";
import { defineJob } from "./job.ts";

/** The job that starts a container. */
export const openvzStart = defineJob("openvz_start", containerStart);
