import { connect, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { EngineAddress } from "./engine-address.ts";

const unavailableBody = JSON.stringify({ message: "The Docker engine does not answer on this host." });
const unavailableResponse = [
  "HTTP/1.1 503 Service Unavailable",
  "content-type: application/json",
  `content-length: ${Buffer.byteLength(unavailableBody)}`,
  "connection: close",
  "",
  unavailableBody,
].join("\r\n");

/**
 * Copies bytes both ways without looking at them, so that streams, upgrades and later versions of the API work. Each side
 * may end its half first, as a client does at the end of its standard input. Responds 503 if the engine cannot be reached.
 */
export function pipeToEngine(client: TLSSocket, address: EngineAddress): void {
  const engine: Socket = connect({ ...address, allowHalfOpen: true });
  let connected = false;
  engine.once("connect", () => {
    connected = true;
    client.pipe(engine);
    engine.pipe(client);
  });
  engine.on("error", () => {
    // After the first bytes of the engine's response, a 503 would be taken for its content.
    if (connected) client.destroy();
    else client.end(unavailableResponse, () => client.destroy());
  });
  client.on("error", () => engine.destroy());
  client.once("close", () => engine.destroy());
  // The engine closed both halves, while the client's half may still be open.
  engine.once("close", () => connected && client.destroySoon());
}
