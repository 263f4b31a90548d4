import { createSocket } from "node:dgram";
import { connect } from "node:net";

import type { Protocol } from "../../src/engines/container-spec.ts";

/** What a peer-server answers: its name and the address that it sees. */
export const nobody = "nobody";
const patience = 1_000;

/** Asks a peer-server; `nobody` when none answers within a second. `from`: a port of one's own, so that it is one flow. */
export function ask(protocol: Protocol, address: string, port: number, from = 0): Promise<string> {
  return protocol === "tcp" ? askTcp(address, port) : askUdp(address, port, from);
}

function askTcp(address: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    let answer = "";
    socket.setTimeout(patience, () => socket.destroy());
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
    socket.on("error", () => undefined).on("close", () => resolve(answer || nobody));
  });
}

function askUdp(address: string, port: number, from: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    const end = (answer: string): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(end, patience, nobody);
    socket.on("message", (message) => end(message.toString()));
    socket.on("error", () => end(nobody));
    socket.bind(from, () => socket.send("who", port, address));
  });
}
