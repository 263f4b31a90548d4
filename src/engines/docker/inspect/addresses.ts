import type { Container } from "../../engine.ts";
import type { Inspected } from "../client/container.ts";
import { lanLabelName, type LanPlan, readLanPlan } from "../lan-label.ts";

/** Returns the addresses of a container's cards: those that it was given, and those that Docker has given it. */
export function readCards(inspected: Inspected): Pick<Container, "macs" | "addresses"> {
  const lan = lanPlanOf(inspected);
  const endpoints = Object.values(inspected.NetworkSettings?.Networks ?? {}).map((endpoint) => endpoint ?? {});
  const fixed = lan?.address.by === "static" ? lan.address.address.split("/")[0] : "";
  const given = endpoints.flatMap(({ IPAddress, IPAMConfig }) => [IPAddress, IPAMConfig?.IPv4Address]);
  const macs = [inspected.Config.MacAddress, lan?.mac, ...endpoints.map(({ MacAddress }) => MacAddress)];
  return { macs: distinct(macs).map((mac) => mac.toLowerCase()), addresses: distinct([fixed, ...given]) };
}

/**
 * Returns the LAN plan of a container. An image can bring any label: it counts only where the container was made
 * without a network.
 */
function lanPlanOf({ Config, HostConfig }: Inspected): LanPlan | undefined {
  if (HostConfig.NetworkMode !== "none") return undefined;
  try {
    return readLanPlan(Config.Labels?.[lanLabelName]);
  } catch {
    // A damaged label is told when the container starts.
    return undefined;
  }
}

function distinct(values: readonly (string | undefined)[]): string[] {
  return [...new Set(values.filter((value) => value !== undefined && value !== ""))] as string[];
}
