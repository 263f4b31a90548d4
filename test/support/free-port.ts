import { portInUse } from "../../src/services/planning/ports.ts";

/**
 * Below the ports that the kernel gives to those who ask for any (`ip_local_port_range`, from 32768): one of those could
 * become somebody's before the test takes it. Above are ports that tests name themselves.
 */
const lowest = 11_000;
const count = 7_000;
/** Test files run beside each other, each in its own process: neighbouring process ids get different ports. */
let next = process.pid * 20;

/** Returns a port that no program has, neither of TCP nor of UDP, and that no other test is given. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + (next++ % count);
    if (!(await portInUse("tcp", port)) && !(await portInUse("udp", port))) return port;
  }
}
