import { open } from "node:fs/promises";

import { AppError } from "../../../errors.ts";
import type { Container } from "../../engine.ts";
import { inspectContainer } from "../client/container.ts";
import type { DockerHttp } from "../client/http.ts";
import { configureAddress, requestLease, type LanPort } from "./address.ts";
import { connectPort } from "./link.ts";
import { lanLabelName, readLanPlan, type LanPlan } from "../lan-label.ts";

/**
 * Network mode bridge. Docker makes the container without a network; after each start the host puts a card into it:
 * a macvlan of the interface, or (join) one end of a veth pair whose other end is in the bridge. It dies with the
 * container's network namespace. Docker's own macvlan driver refuses to go without an address pool of its own, would
 * show addresses that are not in use, and allows one network per interface.
 *
 * INVARIANTS: attaching again is harmless; one attach per container at a time; a lease is renewed at half its time for
 * as long as the same process is the container's first.
 */
export interface Lan {
  /**
   * Gives a container its card and its address. Does nothing for a container without a LAN address, and for one that
   * does not run. Throws `engine_failed`.
   */
  attach(container: Container, signal?: AbortSignal): Promise<void>;
  /** Renews no lease any more. */
  close(): void;
}

const retryAfter = 60;

/** Returns what gives addresses of the LAN to the containers of one Docker. */
export function createLan(http: DockerHttp): Lan {
  const attaching = new Map<string, Promise<void>>();
  const renewals = new Map<string, NodeJS.Timeout>();
  let closed = false;

  async function attach(container: Container, signal?: AbortSignal): Promise<void> {
    const before = attaching.get(container.id) ?? Promise.resolve();
    const mine = before.catch(() => undefined).then(() => attachNow(container.id, signal));
    attaching.set(container.id, mine);
    try {
      await mine;
    } finally {
      if (attaching.get(container.id) === mine) attaching.delete(container.id);
    }
  }

  async function attachNow(id: string, signal: AbortSignal | undefined): Promise<void> {
    clearTimeout(renewals.get(id));
    renewals.delete(id);
    const inspected = await inspectContainer(http, id, signal);
    // An image can bring any label: only a container that was made without a network gets a card.
    if (!inspected || inspected.State.Pid === 0 || inspected.HostConfig.NetworkMode !== "none") return;
    const plan = readLanPlan(inspected.Config.Labels?.[lanLabelName]);
    if (!plan) return;
    const pid = inspected.State.Pid;
    const namespace = await open(`/proc/${pid}/ns/net`).catch(() => undefined);
    if (!namespace) return;
    try {
      // The handle is of the container only if the process still is the container's first: process ids are used again.
      const again = await inspectContainer(http, id, signal);
      if (again?.State.Pid !== pid) return;
      const port: LanPort = {
        namespace: `/proc/${process.pid}/fd/${namespace.fd}`,
        name: inspected.Name.replace(/^\//, ""),
        options: { task: inspected.Config.Labels?.["gantry.task"] ?? id, signal },
      };
      await connectPort(port, plan, id);
      await giveAddress(port, plan, id);
    } finally {
      await namespace.close();
    }
  }

  async function giveAddress(port: LanPort, plan: LanPlan, id: string): Promise<void> {
    if (plan.address.by === "static") {
      await configureAddress(port, { address: plan.address.address, gateway: plan.address.gateway });
      return;
    }
    const lease = await requestLease(port, plan);
    if (lease) await configureAddress(port, lease);
    renewLater(id, lease ? lease.seconds / 2 : retryAfter);
  }

  function renewLater(id: string, seconds: number): void {
    if (closed) return;
    const wait = Math.min(Math.max(seconds, 5), 24 * 3600) * 1000;
    const renew = (): void => {
      attach({ id } as Container).catch((error: unknown) => {
        // The caller of a start hears of failures; a renewal is tried again while the container is there.
        if (error instanceof AppError) renewLater(id, retryAfter);
      });
    };
    renewals.set(id, setTimeout(renew, wait).unref());
  }

  function close(): void {
    closed = true;
    for (const timer of renewals.values()) clearTimeout(timer);
    renewals.clear();
  }

  return { attach, close };
}
