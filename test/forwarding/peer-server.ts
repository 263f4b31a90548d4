import { createSocket } from "node:dgram";
import { createServer } from "node:net";

import type { Protocol } from "../../src/engines/container-spec.ts";
import { ask } from "./ask.ts";

// serve NAME: answers on port 7000, tcp and udp, with its name and the address that it sees. ask PROTOCOL ADDRESS PORT
// [FROM]: prints what one of them answers. Run in network namespaces by tests.
const [verb, ...args] = process.argv.slice(2);
if (verb === "serve") serve(args[0] ?? "");
else process.stdout.write(await ask(args[0] as Protocol, args[1] ?? "", Number(args[2]), Number(args[3] ?? 0)));

function serve(name: string): void {
  createServer((socket) => {
    socket.on("error", () => undefined).end(`${name} sees ${socket.remoteAddress}`);
  }).listen(7000, "0.0.0.0");
  const udp = createSocket("udp4");
  udp.on("message", (_, from) => udp.send(`${name} sees ${from.address}`, from.port, from.address));
  udp.bind(7000, "0.0.0.0");
}
