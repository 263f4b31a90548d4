import { createHash } from "node:crypto";

import { AppError } from "../../errors.ts";
import type { ContainerSpec, LanAddress } from "../container-spec.ts";

/** Network mode bridge: all that is needed to give a container its LAN address again. Kept in its label. */
export interface LanPlan {
  /** The interface of the host whose network it is, as eth0. */
  interface: string;
  /** `interface` is a bridge, and is joined; else the card is a macvlan of it. */
  join: boolean;
  /** Where the address comes from. */
  address: LanAddress;
  /** The card's MAC address, as 02:11:22:33:44:55. */
  mac: string;
}

/** The label that holds a `LanPlan` as JSON. */
export const lanLabelName = "gantry.lan";

/** Returns the label for a container that gets an address of the LAN; undefined for all others. */
export function lanLabel(spec: ContainerSpec): string | undefined {
  if (spec.network.mode !== "bridge") return undefined;
  const { interface: device, join, address } = spec.network;
  const plan: LanPlan = { interface: device, join, address, mac: spec.macAddress ?? stableMac(spec) };
  return JSON.stringify(plan);
}

/** Returns the plan in a label; undefined without a label. Throws `engine_failed` for a damaged one. */
export function readLanPlan(label: string | undefined): LanPlan | undefined {
  if (label === undefined) return undefined;
  const plan = parse(label);
  // The label is data of an engine that others use too: it becomes arguments of ip.
  const safe =
    typeof plan?.interface === "string" &&
    /^[a-zA-Z0-9][a-zA-Z0-9_.:-]{0,14}$/.test(plan.interface) &&
    typeof plan.join === "boolean" &&
    /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(plan.mac ?? "") &&
    isAddress(plan.address);
  if (!safe) throw new AppError("engine_failed", `The label ${lanLabelName} of this container is damaged.`);
  return plan as LanPlan;
}

function parse(label: string): Partial<LanPlan> | undefined {
  try {
    return JSON.parse(label) as Partial<LanPlan>;
  } catch {
    return undefined;
  }
}

function isAddress(address: LanAddress | undefined): boolean {
  if (address?.by === "dhcp") return true;
  if (address?.by !== "static") return false;
  const ip = "(?:\\d{1,3}\\.){3}\\d{1,3}";
  return (
    new RegExp(`^${ip}/\\d{1,2}$`).test(address.address) &&
    (address.gateway === undefined || new RegExp(`^${ip}$`).test(address.gateway))
  );
}

/**
 * Returns the same MAC address after every start, so that a DHCP server gives the same address again; 02 = locally
 * administered.
 */
function stableMac(spec: ContainerSpec): string {
  const hash = createHash("sha256").update(`${spec.mark.station}/${spec.mark.task}/${spec.name}`).digest("hex");
  return ["02", ...(hash.slice(0, 10).match(/../g) ?? [])].join(":");
}
