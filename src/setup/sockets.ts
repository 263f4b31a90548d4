import { connect } from "node:net";
import { http } from "../util/node-http.ts";

/** `up` answers 200; `down`: nobody listens; `stuck`: no or another response; `closed`: this user may not connect. */
export type SocketState = "up" | "down" | "stuck" | "closed";

const defaultTimeout = 2000;

/** Pings Docker at a socket. */
export function pingDocker(socketPath: string): Promise<SocketState> {
  return pingSocket(socketPath, "/_ping");
}

/** Sends a GET request to a socket. `timeout` is in milliseconds. */
export function pingSocket(socketPath: string, path: string, timeout = defaultTimeout): Promise<SocketState> {
  const { promise, resolve } = Promise.withResolvers<SocketState>();
  const ping = http.request({ socketPath, path, timeout: timeout }, (response) => {
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

/** Tells whether somebody listens at a socket. */
export function isListening(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
}
