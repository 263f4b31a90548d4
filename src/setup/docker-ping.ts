import { request } from "node:http";

/** down: nobody listens. stuck: somebody does, and does not answer in time. closed: not for this user. */
export type DockerState = "up" | "down" | "stuck" | "closed";

const patience = 2000;

export function pingDocker(socketPath: string): Promise<DockerState> {
  const { promise, resolve } = Promise.withResolvers<DockerState>();
  const ping = request({ socketPath, path: "/_ping", timeout: patience }, (response) => {
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
