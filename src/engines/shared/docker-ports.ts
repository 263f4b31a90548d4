import type { PortMapping } from "../container-spec.ts";

/** Returns ports as Docker's inspect shows them, which is what clients of every engine read. */
export function toDockerPorts(ports: readonly PortMapping[]): Record<string, { HostIp: string; HostPort: string }[]> {
  const shown: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { host, container, protocol } of ports) {
    (shown[`${container}/${protocol}`] ??= []).push({ HostIp: "0.0.0.0", HostPort: String(host) });
  }
  return shown;
}
