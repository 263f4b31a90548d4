import { runChild } from "../../../util/process/run-child.ts";
import type { Exec } from "../exec/exec.ts";
import type { GivenAddress } from "../../network/given-addresses.ts";
import { networkFile, networkText, renameInHosts, resolverText } from "../../reshape/inside-texts.ts";
import { reloadNetwork, setLiveHostname } from "../../reshape/live.ts";
import { setAddresses } from "../../network/live-addresses.ts";
import type { InsideFiles } from "./inside-files.ts";

interface Deps {
  files: InsideFiles;
  exec: Exec;
}

/** What a container is to be inside; what is absent stays as it is. */
export interface InsideShape {
  /** What it is called. */
  hostname?: string | undefined;
  /** Addresses of the name servers that it asks. */
  nameServers?: readonly string[] | undefined;
  /** The addresses of its card, and the way out. */
  network?:
    | {
        given: readonly Pick<GivenAddress, "address" | "length">[];
        gateway: string;
        bridge: string;
        /** Returns how the card is called inside. */
        card: string;
        /** Addresses of the name servers that it asks. */
        nameServers?: readonly string[] | undefined;
      }
    | undefined;
}

/**
 * Makes a container's own files and what runs in there as it was set; all that is so already stays. `pid`: of its first
 * process, 0 = it does not run.
 */
export function createInsideShape({ files, exec }: Deps) {
  return async function applyInside(name: string, pid: number, shape: InsideShape): Promise<void> {
    const { hostname, nameServers, network } = shape;
    if (hostname !== undefined) await setHostname(name, pid, hostname);
    if (nameServers) await files.replace(name, "/etc/resolv.conf", resolverText(nameServers));
    if (network) await setNetwork(name, pid, network);
  };

  async function setHostname(name: string, pid: number, hostname: string): Promise<void> {
    const former = (await textOf(name, "/etc/hostname"))?.trim();
    const hosts = await textOf(name, "/etc/hosts");
    if (hosts !== undefined) {
      const names = [...new Set([former, name])].filter(
        (word) => word !== undefined && word !== "" && word !== hostname,
      );
      const renamed = names.reduce<string>((text, word) => renameInHosts(text, word ?? "", hostname), hosts);
      if (renamed !== hosts) await files.replace(name, "/etc/hosts", renamed);
    }
    if ((await files.kind(name, "/etc")) === "directory") await files.replace(name, "/etc/hostname", `${hostname}\n`);
    if (pid > 0) await setLiveHostname(pid, hostname);
  }

  async function textOf(name: string, path: string): Promise<string | undefined> {
    const file = await files.read(name, path);
    return file?.kind === "file" ? file.text : undefined;
  }

  async function setNetwork(
    name: string,
    pid: number,
    { given, gateway, bridge, card, nameServers = [gateway] }: NonNullable<InsideShape["network"]>,
  ): Promise<void> {
    const managed = (await files.kind(name, "/etc/systemd")) === "directory";
    if (managed) {
      await files.makeFolder(name, folderOf(networkFile));
      await files.replace(name, networkFile, networkText(given, { card, gateway, nameServers }));
    }
    if (pid === 0) return;
    const told = managed && (await reloadNetwork((request, signal) => exec(name, request, signal)));
    await setAddresses({ pid, name: card, gateway }, given, told);
    for (const { address } of given) {
      // The kernel remembers for a while which card had the address before.
      await runChild(["ip", "neigh", "flush", "to", address, "dev", bridge], { task: "lxd" }).catch(() => undefined);
    }
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
