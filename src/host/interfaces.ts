import { readlink } from "node:fs/promises";
import { basename } from "node:path";
import { kernelRouteAddress, netmaskOf } from "../util/addresses/ipv4.ts";
import { exists } from "../util/exists.ts";
import { listKernelFolder, readKernelText } from "./kernel-files.ts";
import { commandOutput } from "./command.ts";

/** A network adapter of this host, or a bridge that has no adapter. */
export interface HostInterface {
  /** Name of the interface, such as `eth0`. */
  name: string;
  /** True for a bridge. */
  isBridge: boolean;
  /** The bridge that the adapter is a port of, if any. Address, netmask and gateway are then those of the bridge. */
  bridge: string | undefined;
  /** First IPv4 address, such as `192.168.1.20`; "" if there is none. */
  address: string;
  /** Netmask of `address`, such as `255.255.255.0`; "" if there is no address. */
  netmask: string;
  /** Next hop of the default route through this interface; "" if there is none. */
  gateway: string;
  /** True for the bridge of an engine's own network, which containers of network mode nat join. */
  isEngineBridge: boolean;
}

const folder = "/sys/class/net";
const ethernet = "1";
const noGateway = "00000000";
const engineBridgeName = /^(docker0|br-[0-9a-f]{12}|lxcbr\d+|lxdbr\d+|incusbr\d+|podman\d+|cni-.*)$/;

interface Route {
  name: string;
  gateway: string;
  metric: number;
}

/**
 * Lists the adapters and bridges of this host. The interface of the default route comes first, the others follow in the
 * order of the kernel's index. A bridge that has an adapter is part of that adapter's entry.
 */
export async function readInterfaces(): Promise<HostInterface[]> {
  const known = { routes: await readDefaultRoutes(), addresses: await readAddresses() };
  const { routes } = known;
  const links = await Promise.all((await listKernelFolder(folder)).map((name) => readLink(name, known)));
  const present = links.filter((link) => link !== undefined);
  const bridgesWithAdapter = new Set(present.map(({ item }) => item.bridge));
  const first = routes[0]?.name;
  const rank = ({ item, index }: Link): number => ((item.bridge ?? item.name) === first ? -1 : index);
  return present
    .filter(({ item }) => !bridgesWithAdapter.has(item.name))
    .sort((one, other) => rank(one) - rank(other) || one.index - other.index)
    .map(({ item }) => item);
}

interface Address {
  address: string;
  prefix: number;
}

interface Known {
  routes: readonly Route[];
  addresses: ReadonlyMap<string, Address>;
}

interface Link {
  item: HostInterface;
  index: number;
}

async function readLink(name: string, { routes, addresses }: Known): Promise<Link | undefined> {
  if ((await readKernelText(`${folder}/${name}/type`)) !== ethernet) return undefined;
  const isBridge = await exists(`${folder}/${name}/bridge`);
  const master = basename(await readlink(`${folder}/${name}/master`).catch(() => ""));
  // The host's end of a container's veth pair is no adapter.
  if (!isBridge && master !== "" && !(await exists(`${folder}/${name}/device`))) return undefined;
  const bridge = master === "" ? undefined : master;
  const holder = bridge ?? name;
  const ipv4 = addresses.get(holder);
  const item = {
    name,
    isBridge,
    bridge,
    address: ipv4?.address ?? "",
    netmask: ipv4 ? netmaskOf(ipv4.prefix) : "",
    gateway: routes.find((route) => route.name === holder)?.gateway ?? "",
    isEngineBridge: engineBridgeName.test(name),
  };
  // An interface without an address is listed only if it is a bridge or real hardware.
  if (item.address === "" && !isBridge && !(await exists(`${folder}/${name}/device`))) return undefined;
  return { item, index: Number(await readKernelText(`${folder}/${name}/ifindex`)) };
}

/**
 * Reads the first IPv4 address of each interface by `ip`. `os.networkInterfaces()` will not do: it leaves out interfaces
 * without a carrier.
 */
async function readAddresses(): Promise<Map<string, Address>> {
  const text = await commandOutput(["ip", "-json", "-4", "address", "show"]);
  const links = JSON.parse(text || "[]") as { ifname: string; addr_info?: { local: string; prefixlen: number }[] }[];
  return new Map(
    links.flatMap(({ ifname, addr_info: [first] = [] }) =>
      first ? [[ifname, { address: first.local, prefix: first.prefixlen }]] : [],
    ),
  );
}

/**
 * Reads the default routes, lowest metric first. Fields of `/proc/net/route`: interface, destination, gateway, flags, ...,
 * metric (the 7th), mask (the 8th).
 */
async function readDefaultRoutes(): Promise<Route[]> {
  const lines = (await readKernelText("/proc/net/route")).split("\n").slice(1);
  const rows = lines.map((line) => line.split("\t").map((field) => field.trim()));
  return rows
    .filter(([, destination, , , , , , mask]) => destination === "00000000" && mask === "00000000")
    .map(([name = "", , gateway = "", , , , metric]) => ({ name, gateway: gatewayOf(gateway), metric: Number(metric) }))
    .sort((one, other) => one.metric - other.metric);
}

function gatewayOf(hex: string): string {
  return hex === noGateway ? "" : kernelRouteAddress(hex);
}
