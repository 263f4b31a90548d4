import { createSocket } from "node:dgram";
import { createServer } from "node:net";

/** Gives back what port 7000 is sent, tcp and udp. Run in a container's network by a test. */
createServer((socket) => socket.pipe(socket)).listen(7000);
const udp = createSocket("udp4");
udp.on("message", (text, from) => udp.send(text, from.port, from.address));
udp.bind(7000);
