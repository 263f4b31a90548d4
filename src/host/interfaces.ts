import { readlink } from "node:fs/promises";
import { basename } from "node:path";
import { exists } from "../util/exists.ts";
import { readNames, readText } from "./files.ts";
import { output } from "./run.ts";

/** An adapter of this host with the bridge that it is part of, or a bridge without an adapter. */
export interface HostInterface {
  name: string;
  isBridge: boolean;
  /** The bridge that it is part of; its addresses are then the bridge's. */
  bridge: string | undefined;
  /** IPv4; "" without one. */
  address: string;
  netmask: string;
  /** Next hop of the default route through it; "" without one. */
  gateway: string;
  /** The bridge of an engine's own network, which containers join by mode nat. */
  ofEngine: boolean;
}

const folder = "/sys/class/net";
const ethernet = "1";
const engineBridge = /^(docker0|br-[0-9a-f]{12}|lxcbr\d+|lxdbr\d+|incusbr\d+|podman\d+|cni-.*)$/;

interface Route {
  name: string;
  gateway: string;
  metric: number;
}

/** The one of the default route comes first, then as the kernel has numbered them. */
export async function readInterfaces(): Promise<HostInterface[]> {
  const known = { routes: await readDefaultRoutes(), addresses: await readAddresses() };
  const { routes } = known;
  const links = await Promise.all((await readNames(folder)).map((name) => readLink(name, known)));
  const shown = links.filter((link) => link !== undefined);
  // A bridge is shown with its adapter, when it has one.
  const joined = new Set(shown.map(({ item }) => item.bridge));
  const first = routes[0]?.name;
  const rank = ({ item, index }: Link): number => ((item.bridge ?? item.name) === first ? -1 : index);
  return shown
    .filter(({ item }) => !joined.has(item.name))
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
  if ((await readText(`${folder}/${name}/type`)) !== ethernet) return undefined;
  const isBridge = await exists(`${folder}/${name}/bridge`);
  const master = basename(await readlink(`${folder}/${name}/master`).catch(() => ""));
  // The end of a container's cable is no adapter.
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
    ofEngine: engineBridge.test(name),
  };
  // Without an address only a real adapter leads anywhere.
  if (item.address === "" && !isBridge && !(await exists(`${folder}/${name}/device`))) return undefined;
  return { item, index: Number(await readText(`${folder}/${name}/ifindex`)) };
}

/** The first IPv4 address of each; also where no cable is, which the C library's list leaves out. */
async function readAddresses(): Promise<Map<string, Address>> {
  const text = await output(["ip", "-json", "-4", "address", "show"]);
  const links = JSON.parse(text || "[]") as { ifname: string; addr_info?: { local: string; prefixlen: number }[] }[];
  return new Map(
    links.flatMap(({ ifname, addr_info: [first] = [] }) =>
      first ? [[ifname, { address: first.local, prefix: first.prefixlen }]] : [],
    ),
  );
}

function netmaskOf(prefix: number): string {
  const bits = "1".repeat(prefix).padEnd(32, "0");
  return [0, 8, 16, 24].map((at) => Number.parseInt(bits.slice(at, at + 8), 2)).join(".");
}

/** Lines of /proc/net/route: interface, destination, gateway, flags, ..., metric at 6, mask at 7. Best first. */
async function readDefaultRoutes(): Promise<Route[]> {
  const lines = (await readText("/proc/net/route")).split("\n").slice(1);
  const rows = lines.map((line) => line.split("\t").map((field) => field.trim()));
  return rows
    .filter(([, destination, , , , , , mask]) => destination === "00000000" && mask === "00000000")
    .map(([name = "", , gateway = "", , , , metric]) => ({ name, gateway: addressOf(gateway), metric: Number(metric) }))
    .sort((one, other) => one.metric - other.metric);
}

/** The kernel prints the address as a number of this host's byte order; all that the station runs on are little-endian. */
function addressOf(hex: string): string {
  if (hex === "00000000") return "";
  return [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join(".");
}
