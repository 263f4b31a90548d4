import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { testEngines } from "./engines.ts";

/** `before`: Docker has not seen the request yet; `after`: it has answered, and the station has not seen that. */
export interface EngineMoment {
  when: "before" | "after";
  method: string;
  path: string;
}

export interface DockerProxy {
  address: string;
  close(): Promise<void>;
}

/**
 * Stands between a station and the real Docker and passes everything on, telling `watch` of each request at its two
 * moments and waiting for it: so a test can kill the station, or Docker, exactly there.
 */
export async function startDockerProxy(
  path: string,
  watch: (moment: EngineMoment) => Promise<void> | void,
): Promise<DockerProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const engine = connect(testEngines().dockerSocket);
    let current: Omit<EngineMoment, "when"> | undefined;
    for (const socket of [client, engine]) {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      socket.on("error", () => undefined);
    }
    client.on("close", () => engine.destroy());
    pass(client, engine, async (chunk) => {
      const head = /^(GET|POST|PUT|DELETE|HEAD) (\S+) HTTP/.exec(chunk.subarray(0, 2048).toString("latin1"));
      if (!head) return;
      current = { method: head[1] as string, path: head[2] as string };
      await watch({ when: "before", ...current });
    });
    pass(engine, client, async () => {
      const request = current;
      current = undefined;
      if (request) await watch({ when: "after", ...request });
    });
  });
  rmSync(path, { force: true });
  server.listen(path);
  await once(server, "listening");
  return {
    address: `unix://${path}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Passes chunks on in order, each after `look` is through with it, and then the end. */
function pass(from: Socket, to: Socket, look: (chunk: Buffer) => Promise<void>): void {
  let turn = Promise.resolve();
  from.on("data", (chunk: Buffer) => {
    from.pause();
    turn = turn.then(async () => {
      await look(chunk);
      if (!to.destroyed) to.write(chunk);
      from.resume();
    });
  });
  from.on("close", () => void turn.then(() => to.end()));
}
