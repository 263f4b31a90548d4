import { runChild } from "../child.ts";

/** Without prefix length, of all interfaces. */
export async function hostAddresses(signal: AbortSignal | undefined): Promise<string[]> {
  const text = await runChild(["ip", "-4", "-o", "address", "show"], { task: "lxc", signal });
  return [...text.matchAll(/inet ([\d.]+)/g)].map(([, address]) => address ?? "");
}

/** That this host has a route of their own to, elsewhere than through the bridge: another engine's containers. */
export async function routedElsewhere(bridge: string, signal: AbortSignal | undefined): Promise<string[]> {
  const text = await runChild(["ip", "-4", "route", "show"], { task: "lxc", signal });
  const routes = [...text.matchAll(/^([\d.]+) (?:.* )?dev (\S+)/gm)];
  return routes.flatMap(([, address, device]) => (device === bridge ? [] : (address ?? [])));
}
