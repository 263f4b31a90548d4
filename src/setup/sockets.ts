import { request } from "node:http";
import { connect } from "node:net";

/** down: nobody listens. stuck: somebody does, and does not answer in time. closed: not for this user. */
export type SocketState = "up" | "down" | "stuck" | "closed";

const usualPatience = 2000;

export function pingDocker(socketPath: string): Promise<SocketState> {
  return pingSocket(socketPath, "/_ping");
}

/** `up` when the daemon at the socket answers 200. */
export function pingSocket(socketPath: string, path: string, patience = usualPatience): Promise<SocketState> {
  const { promise, resolve } = Promise.withResolvers<SocketState>();
  const ping = request({ socketPath, path, timeout: patience }, (response) => {
    response.resume();
    resolve(response.statusCode === 200 ? "up" : "stuck");
  });
  ping.once("timeout", () => {
    resolve("stuck");
    ping.destroy();
  });
  ping.once("error", (error) => resolve("code" in error && error.code === "EACCES" ? "closed" : "down"));
  ping.end();
  return promise;
}

export function listens(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
}
