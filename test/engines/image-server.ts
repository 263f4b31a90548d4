import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";

import { fillBusybox, tarOf } from "../support/images.ts";
import { keptInRun } from "../support/kept-in-run.ts";
import { catalogue, index, machine, partPath, type ServedImage, type SystemImage } from "./image-index.ts";

export interface ImageServer {
  /**
   * Has test/base, test/other and test/slow, which takes two seconds; ubuntu/bionic in two builds, and with a variant;
   * test/wrong with a wrong SHA-256, test/cut and test/short, which end early, and test/junk, which is no archive.
   */
  url: string;
  /** The same server, which fails there. */
  brokenUrl: string;
  /** It answers there with an index that never ends. */
  endlessUrl: string;
  /** It answers there with JSON of another shape. */
  shapelessUrl: string;
  /** It sends on from there to `url`. */
  movedUrl: string;
  /** Requests for an image's root file system until now. */
  downloads(name: string): number;
  /** A newer build appears. */
  add(name: string, serial: string): void;
  close(): Promise<void>;
}

/** Reacts at once to every signal that stops; DHCP unless an address is there already; a page on port 80. */
const init = `#!/bin/sh
trap 'exit 0' TERM INT USR1 USR2 PWR HUP 37
[ -d /proc/1 ] || mount -t proc proc /proc
ip link set lo up
hostname >/www/hostname
if ip link show eth0 >/dev/null 2>&1; then
  ip link set eth0 up
  ip -4 addr show eth0 | grep -q inet || udhcpc -b -i eth0 -s /etc/udhcpc.sh >/dev/null 2>&1 &
fi
httpd -p 80 -h /www
while :; do sleep 3600 & wait $!; done
`;

const lease = `#!/bin/sh
case "$1" in bound|renew) ;; *) exit 0 ;; esac
ip addr flush dev "$interface"
ip addr add "$ip/$mask" dev "$interface"
[ -z "$router" ] || ip route replace default via "$router"
`;

const pieces = 10;
const pause = 200;

const older = "20210809_07:42";
const newer = "20210810_07:42";

export interface ImageServerOptions {
  /** It has ubuntu/big too, of 150 MB, which takes a second or more to unpack. */
  big?: boolean;
}

/** A simplestreams server on the loopback interface, with small system images. */
export async function startImageServer({ big = false }: ImageServerOptions = {}): Promise<ImageServer> {
  const images = [...buildImages(), ...(big ? [bigImage()] : [])];
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    if (path.startsWith("/broken/")) response.writeHead(500).end("out of order");
    else if (path.startsWith("/endless/")) endless(response).catch(() => response.destroy());
    else if (path.startsWith("/shapeless/")) response.end('{"index": [null]}');
    else if (path.startsWith("/moved/")) response.writeHead(302, { location: path.slice("/moved".length) }).end();
    else if (path === "/streams/v1/index.json") response.end(JSON.stringify(index(images)));
    else if (path === "/streams/v1/images.json") response.end(JSON.stringify(catalogue(images)));
    else serve(images, path, request.method === "HEAD", response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  async function close(): Promise<void> {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
  function add(name: string, serial: string): void {
    images.find((image) => image.name === name)?.builds.set(serial, buildImage(`${name} ${serial}`, 0));
  }
  return {
    url,
    brokenUrl: `${url}/broken`,
    endlessUrl: `${url}/endless`,
    shapelessUrl: `${url}/shapeless`,
    movedUrl: `${url}/moved`,
    downloads: (name) => asked.filter((path) => downloaded(path) === name).length,
    add,
    close,
  };
}

function buildImages(): ServedImage[] {
  const image = (name: string, fault?: ServedImage["fault"]): ServedImage => {
    const content = buildImage(name, fault === "slow" ? 4 * 1024 * 1024 : 0);
    return { name, aliases: [name], release: name, builds: new Map([["20260101_0000", content]]), fault };
  };
  const bionic: ServedImage = {
    name: "ubuntu/bionic",
    aliases: ["ubuntu/bionic/default", "ubuntu/bionic"],
    release: "bionic",
    title: "18.04",
    builds: new Map([older, newer].map((serial) => [serial, buildImage(serial, 0, asXz)])),
  };
  const cloud = { ...bionic, name: "ubuntu/bionic/cloud", aliases: ["ubuntu/bionic/cloud", "ubuntu/bionic"] };
  const junk = image("test/junk");
  junk.builds = new Map([["20260101_0000", { ...buildImage("junk", 0), root: Buffer.from("this is no archive\n") }]]);
  return [
    image("test/base"),
    image("test/other"),
    image("test/slow", "slow"),
    { ...cloud, variant: "cloud", builds: new Map([[newer, buildImage("cloud", 0)]]) },
    { ...bionic, variant: "default" },
    image("test/wrong", "wrong"),
    image("test/cut", "cut"),
    image("test/short", "short"),
    junk,
  ];
}

function bigImage(): ServedImage {
  const content = buildImage("big", 150 * 1024 * 1024);
  const name = "ubuntu/big";
  return { name, aliases: [name], release: "big", builds: new Map([["20260101_0000", content]]) };
}

function downloaded(path: string): string | undefined {
  return /^\/images\/(.+)\/[^/]+\/root\.tar\.xz$/.exec(path)?.[1];
}

async function serve(images: ServedImage[], path: string, head: boolean, response: ServerResponse): Promise<void> {
  for (const image of images) {
    for (const [serial, content] of image.builds) {
      const part = (["head", "root"] as const).find((name) => path === `/${partPath(image, serial, name)}`);
      if (!part) continue;
      if (head) response.writeHead(200, { "content-length": content[part].length }).end();
      else await send(response, content[part], part === "root" ? image.fault : undefined);
      return;
    }
  }
  response.writeHead(404).end();
}

async function send(response: ServerResponse, image: Buffer, fault: ServedImage["fault"]): Promise<void> {
  const half = image.subarray(0, Math.floor(image.length / 2));
  if (fault === "short") response.end(half);
  else response.writeHead(200, { "content-length": image.length });
  if (fault === "cut") response.write(half, () => response.destroy());
  if (fault === "cut" || fault === "short") return;
  const size = Math.ceil(image.length / (fault === "slow" ? pieces : 1));
  for (let at = 0; at < image.length && !response.destroyed; at += size) {
    response.write(image.subarray(at, at + size));
    if (fault === "slow") await delay(pause);
  }
  response.end();
}

async function endless(response: ServerResponse): Promise<void> {
  const spaces = Buffer.alloc(1024 * 1024, " ");
  while (!response.destroyed) if (!response.write(spaces)) await once(response, "drain");
}

function asXz(tar: Buffer): Buffer {
  return execFileSync("xz", ["-0", "-c"], { input: tar, maxBuffer: 64 * 1024 * 1024 });
}

/** LXD's split format. Servers pack with xz; LXD looks at what it gets, and gzip is quicker. */
function buildImage(
  name: string,
  ballast: number,
  packed: (tar: Buffer) => Buffer = (tar) => gzipSync(tar, { level: 1 }),
): SystemImage {
  const metadata = {
    architecture: machine(),
    creation_date: 1_700_000_000,
    properties: { os: "test", description: name },
  };
  const fill = (folder: string): void => {
    fillBusybox(folder);
    rmSync(join(folder, "bin/init"));
    writeFileSync(join(folder, "bin/init"), init);
    writeFileSync(join(folder, "etc/udhcpc.sh"), lease);
    writeFileSync(join(folder, "etc/build"), `${name}\n`);
    for (const file of ["bin/init", "etc/udhcpc.sh"]) chmodSync(join(folder, file), 0o755);
    if (ballast > 0) writeFileSync(join(folder, "ballast"), randomBytes(ballast));
  };
  // JSON is YAML.
  const describe = (folder: string): void => writeFileSync(join(folder, "metadata.yaml"), JSON.stringify(metadata));
  return {
    head: keptInRun(`${name} head`, () => gzipSync(tarOf(describe))),
    root: keptInRun(`${name} root`, () => packed(tarOf(fill))),
  };
}
