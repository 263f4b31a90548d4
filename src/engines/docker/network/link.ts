import { AppError } from "../../../errors.ts";
import { allowForwarding } from "../../network/bridge-firewall.ts";
import { runChild } from "../../../util/process/run-child.ts";
import { inNamespace, type LanPort } from "./address.ts";
import type { LanPlan } from "../lan-label.ts";

/** Puts eth0 into the container's namespace, unless it is there. Made in place: there is no half-moved card. */
export async function connectPort(port: LanPort, plan: LanPlan, id: string): Promise<void> {
  if (!(await hasCard(port))) {
    if (plan.join) await addVeth(port, plan, id);
    else await addMacvlan(port, plan);
  }
  if (plan.join) await joinBridge(port, plan, id);
  await inNamespace(port, ["ip", "link", "set", "lo", "up"]);
  await inNamespace(port, ["ip", "link", "set", "eth0", "up"]);
}

async function hasCard(port: LanPort): Promise<boolean> {
  const links = JSON.parse(await inNamespace(port, ["ip", "-json", "link", "show"])) as { ifname: string }[];
  return links.some((link) => link.ifname === "eth0");
}

async function addMacvlan(port: LanPort, plan: LanPlan): Promise<void> {
  const card = ["name", "eth0", "netns", port.namespace, "address", plan.mac, "type", "macvlan", "mode", "bridge"];
  await runChild(["ip", "link", "add", "link", plan.interface, ...card], port.options).catch(refuse(port, plan));
}

async function addVeth(port: LanPort, plan: LanPlan, id: string): Promise<void> {
  // Left by the start before: the kernel removes a pair some time after its namespace.
  await runChild(["ip", "link", "delete", hostEnd(id)], port.options).catch(() => "");
  const peer = ["peer", "name", "eth0", "netns", port.namespace, "address", plan.mac];
  await runChild(["ip", "link", "add", hostEnd(id), "type", "veth", ...peer], port.options).catch(refuse(port, plan));
}

async function joinBridge(port: LanPort, plan: LanPlan, id: string): Promise<void> {
  const join = ["ip", "link", "set", hostEnd(id), "master", plan.interface, "up"] as const;
  await runChild([...join], port.options).catch(refuse(port, plan));
  await allowForwarding(plan.interface, port.options.signal);
}

/** Returns the name of the veth's end on the host, 15 characters at most. */
function hostEnd(id: string): string {
  return `gnt${id.slice(0, 12)}`;
}

function refuse(port: LanPort, plan: LanPlan): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof AppError) || error.code !== "engine_failed") throw error;
    const reason = error.message.replace(/^ip failed: (?:RTNETLINK answers: )?/, "");
    const message = `Container ${port.name} cannot join the network of ${plan.interface}: ${reason}.`;
    throw new AppError("engine_failed", message, { cause: error });
  };
}
