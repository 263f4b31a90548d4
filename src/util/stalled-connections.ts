import { readFile } from "node:fs/promises";
import type { Server, Socket } from "node:net";

/** How often connections are checked within the time that a client has. */
const checksPerPeriod = 6;

interface ConnectionState {
  /** Bytes that this process has given to the kernel. */
  accepted: number;
  /** Those of them that the client's kernel has acknowledged. */
  taken: number;
  /** When the client last took a byte or had none to take, in milliseconds of a monotonic clock. */
  since: number;
  /** True: the client had taken everything. It is not checked again until more is written. */
  settled: boolean;
}

/** Node's counts of a TCP connection, below TLS. Node has them only in the socket's private handle. */
interface Counts {
  bytesWritten: number;
  writeQueueSize: number;
}

/**
 * Resets the connections of a server whose client has taken no byte for `after` milliseconds although there were bytes for
 * it, in this process or in the kernel. A slow client that takes some bytes now and then stays connected.
 */
export function resetStalledConnections(server: Server, after: number): void {
  const connections = new Map<Socket, ConnectionState>();
  let checking = false;

  async function check(): Promise<void> {
    const open = [...connections].flatMap(([socket, state]) => {
      const counts = countsOf(socket);
      const accepted = counts ? counts.bytesWritten - counts.writeQueueSize : 0;
      const isQuiet = !counts || (state.settled && accepted === state.accepted && counts.writeQueueSize === 0);
      return isQuiet ? [] : [{ socket, state, accepted, queued: counts.writeQueueSize }];
    });
    if (open.length === 0) return;
    const unacknowledged = await readSendQueues();
    const now = performance.now();
    for (const { socket, state, accepted, queued } of open) {
      const left = unacknowledged.get(keyOf(socket.localPort, socket.remotePort)) ?? 0;
      const taken = accepted - left;
      const settled = queued === 0 && left === 0;
      const since = settled || taken > state.taken ? now : state.since;
      connections.set(socket, { accepted, taken, since, settled });
      if (now - since >= after) socket.resetAndDestroy();
    }
  }

  const timer = setInterval(() => {
    if (checking) return;
    checking = true;
    check()
      .catch(() => undefined)
      .finally(() => (checking = false));
  }, after / checksPerPeriod);
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
 * Reads how many bytes of each connection wait in the kernel for the client, by both ports. Fields of `/proc/net/tcp`: slot,
 * local address:port, remote address:port, state, send queue:receive queue, ..., all in hexadecimal.
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
    // Clients on two hosts may use the same port.
    queues.set(key, (queues.get(key) ?? 0) + Number.parseInt(bytes, 16));
  }
  return queues;
}
