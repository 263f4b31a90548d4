import type { ExecRequest, ExecResult } from "../container-life.ts";
import { runChild } from "../../util/process/run-child.ts";

/** Gives a running container another host name at once. `pid`: of its first process. */
export async function setLiveHostname(pid: number, hostname: string): Promise<void> {
  await runChild(["nsenter", "-t", String(pid), "--uts", "--", "hostname", hostname], { task: "reshape" });
}

const reloadPatience = 10_000;

/**
 * Has systemd-networkd inside read its files again, and returns whether it is there and was told. `exec`: runs a program in
 * the container.
 */
export async function reloadNetwork(
  exec: (request: ExecRequest, signal: AbortSignal) => Promise<ExecResult>,
): Promise<boolean> {
  const request: ExecRequest = { command: ["networkctl", "reload"], environment: [] };
  const result = await exec(request, AbortSignal.timeout(reloadPatience)).catch(() => undefined);
  return result?.exitCode === 0;
}
