import { join } from "node:path";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { createLxdHttp, type LxdHttp } from "../../src/engines/lxd/client/http.ts";
import { run } from "../engines/commands.ts";
import { startImageServer, type ImageServer } from "../engines/image-server.ts";
import { until } from "./daemon.ts";
import { startLxc, type TestLxc } from "./lxc.ts";
import { lxcMonitor } from "./lxc-monitor.ts";
import { startLxd } from "./lxd.ts";
import { startStation, type TestStation } from "./station.ts";

export type SystemType = "lxc" | "lxd";
export const systemTypes = ["lxc", "lxd"] as const;

/** A station with all three engines of this run, and an image server of its own. */
export interface SystemWorld {
  readonly station: TestStation;
  readonly images: ImageServer;
  readonly lxc: TestLxc;
  readonly lxd: LxdHttp;
  /** Of the first process; 0: it does not run. */
  pid(type: SystemType, name: string): Promise<number>;
  /** Of all containers of an engine, running or not. */
  names(type: SystemType): Promise<string[]>;
  /** Ends a container behind the station's back, and starts it again. */
  restart(type: SystemType, name: string): Promise<void>;
  /** Ends LXC's process that watches over a container, which goes down with it. */
  killMonitor(name: string): Promise<void>;
  /** Starts an LXC container behind the station's back. */
  startLxc(name: string): Promise<void>;
  /** Removes a container behind the station's back. */
  remove(type: SystemType, name: string): Promise<void>;
  /** Stops the station, removes its containers and images. */
  close(): Promise<void>;
}

export interface SystemWorldOptions {
  flags?: readonly string[];
  docker?: string;
  /** One of its own without it. */
  dataDir?: string;
  /** The image server has ubuntu/big. */
  big?: boolean;
  /** Another image server than the test's own. */
  imageServer?: string;
  /** Before the station starts, with its data folder. */
  prepare?: (dataDir: string) => Promise<void>;
}

export async function startSystemWorld(options: SystemWorldOptions = {}): Promise<SystemWorld> {
  const [lxc, { socket }, images] = await Promise.all([
    startLxc(),
    startLxd(),
    startImageServer({ big: options.big ?? false }),
  ]);
  const lxd = createLxdHttp(socket);
  const folder = mkdtempSync(join(tmpdir(), "system-"));
  const flags = ["--lxc-path", lxc.path, "--lxd", socket, "--image-server", options.imageServer ?? images.url];
  const dataDir = options.dataDir ?? join(folder, "data");
  mkdirSync(dataDir, { recursive: true });
  await options.prepare?.(dataDir);
  const started = startStation({
    engines: ["docker", "lxc", "lxd"],
    ...(options.docker && { docker: options.docker }),
    dataDir,
    flags: [...flags, ...(options.flags ?? [])],
  });
  // An open server would keep the test file from ending.
  const station = await started.catch(async (error: unknown) => {
    await images.close();
    throw error;
  });

  async function pid(type: SystemType, name: string): Promise<number> {
    if (type === "lxd") {
      return (await lxd.find<{ pid: number }>(`/1.0/instances/${name}/state`))?.pid ?? 0;
    }
    return Number(await run("lxc-info", "-P", lxc.path, "-n", name, "-pH").catch(() => "0"));
  }

  async function names(type: SystemType): Promise<string[]> {
    if (type === "lxc") return (await run("lxc-ls", "-P", lxc.path, "-1")).split("\n").filter(Boolean);
    return (await lxd.get<string[]>("/1.0/instances")).map((path) => path.replace("/1.0/instances/", ""));
  }

  async function setState(name: string, action: "start" | "stop"): Promise<void> {
    const body = { action, force: true, timeout: 30 };
    const { operation } = await lxd.send({ method: "PUT", path: `/1.0/instances/${name}/state`, body });
    await lxd.get(`${operation}/wait?timeout=60`);
  }

  async function restart(type: SystemType, name: string): Promise<void> {
    if (type === "lxd") {
      await setState(name, "stop");
      return setState(name, "start");
    }
    await run("lxc-stop", "-P", lxc.path, "-k", "-n", name);
    await startOne(name);
  }

  async function startOne(name: string): Promise<void> {
    await run("lxc-start", "-P", lxc.path, "-d", "-n", name);
  }

  async function killMonitor(name: string): Promise<void> {
    process.kill(await lxcMonitor(lxc.path, name), "SIGKILL");
    if (!(await until(async () => (await world.pid("lxc", name)) === 0, 60_000))) throw new Error(`${name} runs on`);
  }

  async function remove(type: SystemType, name: string): Promise<void> {
    if (type === "lxc") return void (await run("lxc-destroy", "-P", lxc.path, "-f", "-n", name));
    await setState(name, "stop").catch(() => undefined);
    await erase(`/1.0/instances/${name}`);
  }

  async function erase(path: string): Promise<void> {
    const { operation } = await lxd.send({ method: "DELETE", path });
    await lxd.get(`${operation}/wait?timeout=60`);
  }

  async function close(): Promise<void> {
    await station.close();
    for (const type of systemTypes) for (const name of await names(type)) await remove(type, name);
    // The station that would take them away is gone.
    for (const name of readdirSync(lxc.hostsDir)) rmSync(join(lxc.hostsDir, name));
    for (const path of await lxd.get<string[]>("/1.0/images")) await erase(path);
    lxd.close();
    await images.close();
  }

  const rest = { restart, killMonitor, startLxc: startOne, remove, close };
  const world: SystemWorld = { station, images, lxc, lxd, pid, names, ...rest };
  return world;
}
