/** Kills a process and all that it has started: it leads a process group of its own. */
export function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It ended in the meantime.
  }
}
