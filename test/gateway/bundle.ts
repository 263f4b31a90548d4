import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import type { TestStation } from "../support/station.ts";

/** A folder with ca.pem, cert.pem and key.pem, as DOCKER_CERT_PATH takes it: the zip of the API, unpacked by unzip. */
export async function exportBundle(station: TestStation, name: string): Promise<string> {
  const folder = join(station.folder, name);
  mkdirSync(folder);
  const zip = `${folder}.zip`;
  writeFileSync(zip, await download(station, "/tls/export"));
  execFileSync("unzip", ["-q", zip, "-d", folder]);
  return folder;
}

export async function download(station: TestStation, path: string): Promise<Buffer> {
  const response = await fetch(`${station.url}/api/v1${path}`, { headers: { cookie: station.client.cookie() } });
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return Buffer.from(await response.arrayBuffer());
}

export function dockerEnv(port: number, bundle: string): NodeJS.ProcessEnv {
  const env = { ...process.env, DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_TLS_VERIFY: "1" };
  return { ...env, DOCKER_CERT_PATH: bundle, DOCKER_CONFIG: bundle, DOCKER_BUILDKIT: "0" };
}

export interface Pem {
  cert?: string;
  key?: string;
}

/** What `GET /_ping` through the gateway answers with this certificate, or why there is no answer. */
export function ping(port: number, pem: Pem, versions: { maxVersion?: "TLSv1.2" } = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = open(port, pem, versions);
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    socket.on("error", (error) => resolve(`refused: ${error.message}`));
    socket.once("close", () => resolve(text === "" ? "refused" : text));
    socket.once("secureConnect", () =>
      socket.write("GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"),
    );
  });
}

export function open(port: number, pem: Pem, versions: { maxVersion?: "TLSv1.2" } = {}): TLSSocket {
  // The server's certificate is no matter of these tests; docker itself checks it.
  return connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...pem, ...versions });
}
