import { createLog } from "./util/log.ts";

/** The log of this process, on standard error. */
export const stationLog = createLog((line) => void process.stderr.write(line));
export const { log } = stationLog;
