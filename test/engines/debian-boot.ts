import assert from "node:assert/strict";

/** Until systemd has nothing left to do, within a minute; the units that failed are said. `inside` runs a program there. */
export async function booted(inside: (...argv: string[]) => Promise<string>): Promise<void> {
  const end = performance.now() + 60_000;
  let state = "";
  while (performance.now() < end && !/running|degraded/.test(state)) {
    state = await inside("systemctl", "is-system-running", "--wait").catch(() => "not yet");
  }
  const failed = state === "running" ? "" : await inside("systemctl", "--failed", "--no-legend", "--plain");
  assert.equal(state, "running", failed);
}
