import { connect, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { EngineAddress } from "./address.ts";

const unavailable = JSON.stringify({ message: "The Docker engine does not answer on this host." });
const refusal = [
  "HTTP/1.1 503 Service Unavailable",
  "content-type: application/json",
  `content-length: ${Buffer.byteLength(unavailable)}`,
  "connection: close",
  "",
  unavailable,
].join("\r\n");

/**
 * Bytes both ways, as they are, so that whatever the engine speaks passes: streams, upgrades, later versions. Each side
 * may end its half first, as a client does at the end of its standard input.
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
    // An answer of ours in the middle of the engine's would be taken for its content.
    if (connected) client.destroy();
    else client.end(refusal, () => client.destroy());
  });
  client.on("error", () => engine.destroy());
  client.once("close", () => engine.destroy());
  // Half of the connection may be open still: when the engine is gone altogether, so is the client.
  engine.once("close", () => connected && client.destroySoon());
}
