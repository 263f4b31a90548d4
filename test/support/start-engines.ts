import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startDaemon } from "./daemon.ts";
import { startContainerd, startDockerd } from "./dockerd.ts";
import { testEngines, testVariables } from "./engines.ts";
import { pushImages } from "./images.ts";

/** Starts containerd, dockerd and the registries of this run and fills the registries. Whatever is missing throws. */
export async function startEngines(): Promise<void> {
  const engines = testEngines();
  Object.assign(process.env, testVariables(engines));
  writeFiles(engines.folder);
  await Promise.all([startDocker(), startRegistries()]);
}

async function startDocker(): Promise<void> {
  await startContainerd();
  await startDockerd();
}

async function startRegistries(): Promise<void> {
  const { registry, registryAuth } = testEngines();
  await Promise.all([
    startRegistry("registry", registry),
    startRegistry("registry-auth", registryAuth),
    startRegistry("registry-hub", "127.0.0.1:443"),
  ]);
  await pushImages();
}

function startRegistry(name: string, address: string): Promise<void> {
  const scheme = name === "registry-hub" ? "https" : "http";
  const command = ["docker-registry", "serve", join(testEngines().folder, `${name}.yml`)];
  // Nothing to look at behind the stand-in's own certificate: that it listens is enough.
  const ready = scheme === "https" ? connects(address) : responds(`http://${address}/v2/`);
  return startDaemon(name, command, { ready });
}

function responds(url: string): () => Promise<boolean> {
  return () =>
    fetch(url).then(
      () => true,
      () => false,
    );
}

function connects(address: string): () => Promise<boolean> {
  // A plain request to a TLS port is answered with 400.
  return responds(`http://${address}/`);
}

function writeFiles(folder: string): void {
  const at = (name: string): string => join(folder, name);
  mkdirSync(at("none"));
  writeFileSync(at("daemon.json"), "{}\n");
  writeFileSync(at("containerd.toml"), containerdConfig(folder));
  certify(at("hub.key"), at("hub.crt"));
  writeFileSync(at("htpasswd"), passwordLine());
  const { registry, registryAuth } = testEngines();
  const storage = (name: string): string =>
    `storage: {filesystem: {rootdirectory: ${at(name)}}, delete: {enabled: true}}`;
  const head = "version: 0.1\nlog: {level: warn}\n";
  writeFileSync(at("registry.yml"), `${head}${storage("images")}\nhttp: {addr: ${registry}}\n`);
  const tls = `tls: {certificate: ${at("hub.crt")}, key: ${at("hub.key")}}`;
  writeFileSync(at("registry-hub.yml"), `${head}${storage("images")}\nhttp: {addr: "127.0.0.1:443", ${tls}}\n`);
  const auth = `auth: {htpasswd: {realm: test, path: ${at("htpasswd")}}}`;
  writeFileSync(at("registry-auth.yml"), `${head}${storage("images-auth")}\nhttp: {addr: ${registryAuth}}\n${auth}\n`);
}

function containerdConfig(folder: string): string {
  return [
    "version = 2",
    `root = "${join(folder, "containerd")}"`,
    `state = "${join(folder, "containerd-run")}"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    "[grpc]",
    `  address = "${join(folder, "containerd.sock")}"`,
    "",
  ].join("\n");
}

function certify(key: string, certificate: string): void {
  const name = "registry-1.docker.io";
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"];
  args.push("-keyout", key, "-out", certificate, "-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`);
  execFileSync("openssl", args, { stdio: "pipe" });
}

/** bcrypt by the C library, which is all that the registry takes; Node has none. */
function passwordLine(): string {
  const { username, password } = testEngines().registryLogin;
  const salt = "$2b$05$gantrygantrygantryganu";
  const hash = execFileSync("perl", ["-e", "print crypt($ARGV[0], $ARGV[1])", password, salt], { encoding: "utf8" });
  return `${username}:${hash}\n`;
}
