import { mountCgroups } from "../src/setup/cgroups.ts";

/** Mounts the control groups in the mount namespace that this runs in, on a machine where nobody has done so. */
await mountCgroups({});
