import { createHash, randomBytes } from "node:crypto";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";

import { fillBusybox, tarOf } from "../support/images.ts";

export interface ImageServer {
  /** Has test/base, test/other and test/slow, which takes two seconds. */
  url: string;
  /** The same server, which fails there. */
  brokenUrl: string;
  close(): Promise<void>;
}

/** Metadata and root file system, packed. */
type SystemImage = Record<Part, Buffer>;
type Part = "head" | "root";

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

/** A simplestreams server on the loopback interface, with small system images. */
export async function startImageServer(): Promise<ImageServer> {
  const images = new Map(
    ["base", "other", "slow"].map((name) => [name, buildImage(name, name === "slow" ? 4 * 1024 * 1024 : 0)]),
  );
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    const [, name = "", part = ""] = /^\/images\/(\w+)\/(head|root)\.tar\.xz$/.exec(path) ?? [];
    const image = images.get(name)?.[part as Part];
    if (path.startsWith("/broken/")) response.writeHead(500).end("out of order");
    else if (path === "/streams/v1/index.json") response.end(JSON.stringify(index([...images.keys()])));
    else if (path === "/streams/v1/images.json") response.end(JSON.stringify(catalogue(images)));
    else if (!image) response.writeHead(404).end();
    else if (request.method === "HEAD") response.writeHead(200, { "content-length": image.length }).end();
    else send(response, image, name === "slow" && part === "root").catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  async function close(): Promise<void> {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
  return { url, brokenUrl: `${url}/broken`, close };
}

async function send(response: ServerResponse, image: Buffer, slowly: boolean): Promise<void> {
  response.writeHead(200, { "content-length": image.length });
  const size = Math.ceil(image.length / (slowly ? pieces : 1));
  for (let at = 0; at < image.length && !response.destroyed; at += size) {
    response.write(image.subarray(at, at + size));
    if (slowly) await delay(pause);
  }
  response.end();
}

/** LXD's split format. Servers pack with xz; LXD looks at what it gets, and gzip is quicker. */
function buildImage(name: string, ballast: number): SystemImage {
  const metadata = {
    architecture: machine(),
    creation_date: 1_700_000_000,
    properties: { os: "test", description: name },
  };
  const root = tarOf((folder) => {
    fillBusybox(folder);
    rmSync(join(folder, "bin/init"));
    writeFileSync(join(folder, "bin/init"), init);
    writeFileSync(join(folder, "etc/udhcpc.sh"), lease);
    for (const file of ["bin/init", "etc/udhcpc.sh"]) chmodSync(join(folder, file), 0o755);
    if (ballast > 0) writeFileSync(join(folder, "ballast"), randomBytes(ballast));
  });
  // JSON is YAML.
  const head = tarOf((folder) => writeFileSync(join(folder, "metadata.yaml"), JSON.stringify(metadata)));
  return { head: gzipSync(head), root: gzipSync(root, { level: 1 }) };
}

function index(names: string[]): object {
  const products = names.map(product);
  const images = { datatype: "image-downloads", path: "streams/v1/images.json", format: "products:1.0", products };
  return { format: "index:1.0", index: { images } };
}

function catalogue(images: Map<string, SystemImage>): object {
  const products = [...images].map(([name, content]) => {
    const whole = { combined_rootxz_sha256: digest(Buffer.concat([content.head, content.root])) };
    const item = (ftype: string, part: Part) => {
      return { ftype, path: path(name, part), sha256: digest(content[part]), size: content[part].length };
    };
    const items = {
      "lxd.tar.xz": { ...item("lxd.tar.xz", "head"), ...whole },
      "root.tar.xz": item("root.tar.xz", "root"),
    };
    const version = { items };
    const facts = { aliases: `test/${name}`, arch: architecture(), os: "Test", release: name, release_title: name };
    return [product(name), { ...facts, version: name, versions: { "20260101_0000": version } }];
  });
  return {
    format: "products:1.0",
    content_id: "images",
    datatype: "image-downloads",
    products: Object.fromEntries(products) as object,
  };
}

function path(name: string, part: Part): string {
  return `images/${name}/${part}.tar.xz`;
}

function digest(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

function product(name: string): string {
  return `test:${name}:${architecture()}`;
}

function architecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}

function machine(): string {
  return process.arch === "x64" ? "x86_64" : "aarch64";
}
