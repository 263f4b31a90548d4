import { request } from "node:http";

/** down: nobody listens. stuck: somebody does, and does not answer in time. */
export type DockerState = "up" | "down" | "stuck";

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
  ping.once("error", () => resolve("down"));
  ping.end();
  return promise;
}
