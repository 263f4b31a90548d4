import { readFile } from "node:fs/promises";
import type { Server, Socket } from "node:net";

/** How often in the time that a client is given it is looked whether it has taken something. */
const looksInTime = 6;

interface Seen {
  /** Bytes that the kernel had from this process, and those of them that the client's has acknowledged. */
  accepted: number;
  taken: number;
  /** When it took something last, or had nothing to take; monotonic, milliseconds. */
  since: number;
  /** It had taken all: nothing is looked up until more is written. */
  settled: boolean;
}

/** Node's own counts of a TCP connection, below TLS. It shows them in this place only. */
interface Counts {
  bytesWritten: number;
  writeQueueSize: number;
}

/**
 * Resets connections of a server whose client has taken no byte for `after` ms while there were bytes for it, in this
 * process or in the kernel. A client that takes a little now and then stays.
 */
export function endUnread(server: Server, after: number): void {
  const connections = new Map<Socket, Seen>();
  let looking = false;

  async function look(): Promise<void> {
    const open = [...connections].flatMap(([socket, seen]) => {
      const counts = countsOf(socket);
      const accepted = counts ? counts.bytesWritten - counts.writeQueueSize : 0;
      const isQuiet = !counts || (seen.settled && accepted === seen.accepted && counts.writeQueueSize === 0);
      return isQuiet ? [] : [{ socket, seen, accepted, queued: counts.writeQueueSize }];
    });
    if (open.length === 0) return;
    const unacknowledged = await readSendQueues();
    const now = performance.now();
    for (const { socket, seen, accepted, queued } of open) {
      const left = unacknowledged.get(keyOf(socket.localPort, socket.remotePort)) ?? 0;
      const taken = accepted - left;
      const settled = queued === 0 && left === 0;
      const since = settled || taken > seen.taken ? now : seen.since;
      connections.set(socket, { accepted, taken, since, settled });
      if (now - since >= after) socket.resetAndDestroy();
    }
  }

  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    look()
      .catch(() => undefined)
      .finally(() => (looking = false));
  }, after / looksInTime);
  timer.unref();
  server.on("connection", (socket: Socket) => {
    connections.set(socket, { accepted: 0, taken: 0, since: performance.now(), settled: true });
    socket.once("close", () => connections.delete(socket));
  });
  server.once("close", () => clearInterval(timer));
}

function countsOf(socket: Socket): Counts | undefined {
  return (socket as Socket & { _handle?: Counts | null })._handle ?? undefined;
}

function keyOf(local: number | undefined, remote: number | undefined): string {
  return `${local} ${remote}`;
}

/**
 * Reads what waits in the kernel for the other end of each connection, in bytes, by both ports. Lines of /proc/net/tcp:
 * number, local address:port and remote one in hex, state, send queue:receive queue, ...
 */
async function readSendQueues(): Promise<Map<string, number>> {
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((name) => readFile(`/proc/net/${name}`, "utf8").catch(() => "")),
  );
  const queues = new Map<string, number>();
  for (const [, local = "", remote = "", bytes = ""] of tables
    .join("\n")
    .matchAll(/^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]{8}):/gm)) {
    if (bytes === "00000000") continue;
    const key = keyOf(Number.parseInt(local, 16), Number.parseInt(remote, 16));
    // Two hosts may have chosen the same port.
    queues.set(key, (queues.get(key) ?? 0) + Number.parseInt(bytes, 16));
  }
  return queues;
}
