import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import type { PullProgress } from "../../src/engines/images.ts";
import { createCatalogue } from "../../src/engines/system-images/catalogue.ts";
import { acquireFiles, debianSources } from "../../src/engines/system-images/debian-sources.ts";
import type { SystemImages } from "../../src/engines/system-images/system-images.ts";
import { until } from "../support/patiently.ts";
import { promised } from "../support/promised.ts";
import { debian, debianImages, nowhere, proxies } from "../support/system-images.ts";
import { run } from "./commands.ts";
import { fails } from "./engine-checks.ts";

const station = "3f6f7c53-6a9e-4f0b-8a50-0b7d9f9f2c11";
const never = new AbortController().signal;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "built images-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function catalogue(): Promise<SystemImages> {
  return createCatalogue({ folder, server: nowhere, station, env: proxies() });
}

async function assertNothingLeft(): Promise<void> {
  assert.deepEqual(readdirSync(folder), []);
  assert.ok(
    !readFileSync("/proc/self/mountinfo", "latin1").includes(folder.replaceAll(" ", "\\040")),
    "a mount is left",
  );
  const strays = await run("sh", "-c", `grep -alsz "^GANTRY_TASK=${station}/" /proc/[0-9]*/environ || true`);
  assert.equal(strays, "", "no program is left");
}

test("without an image server Debian is built on this host, boots by itself and says nothing of the host", async () => {
  const images = await debianImages();
  const steps: PullProgress[] = [];
  await images.pull(debian, { signal: never, onProgress: (step) => void steps.push(step) });
  const built = steps.filter(({ text }) => text.startsWith("Build image"));
  assert.deepEqual(built, [], "what was just built is not built again");
  assert.equal(steps.at(-1)?.percent, 100);
  const rootfs = await images.rootfs(debian);
  assert.ok(rootfs);
  assert.equal(rootfs.description, "Debian bookworm");
  const tar = (...args: string[]): string =>
    execFileSync("tar", ["--zstd", "-f", rootfs.archive, ...args], { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  const names = tar("-t").split("\n");
  const has = (pattern: RegExp): string[] => names.filter((name) => pattern.test(name));
  assert.deepEqual(has(/^\.\/etc\/hostname$|99mmdebstrap|\/archives\/.*\.deb$|\/apt\/lists\/.*_|^\.\/build/), []);
  assert.ok(has(/multi-user\.target\.wants\/systemd-networkd\.service$/).length > 0);
  assert.equal(tar("-xO", "./etc/machine-id"), "");
  assert.match(tar("-xO", "./etc/shadow"), /^root:[*!]/m);
});

test("a build shows its progress, and one that is stopped leaves nothing, whenever that comes", async () => {
  const images = await catalogue();
  for (const percent of [-1, 3, 45]) {
    const abort = new AbortController();
    const steps: PullProgress[] = [];
    let stopped = 0;
    const onProgress = (step: PullProgress): void => {
      steps.push(step);
      if (step.percent < percent || stopped > 0) return;
      stopped = performance.now();
      abort.abort();
    };
    await fails(images.pull(debian, { signal: abort.signal, onProgress }), "cancelled");
    assert.ok(
      performance.now() - stopped < promised.tenSeconds,
      `stopped after ${performance.now() - stopped} ms at ${percent}%`,
    );
    await assertNothingLeft();
    assert.equal(await images.get(debian), undefined);
    const percents = steps.map((step) => step.percent);
    assert.deepEqual(
      percents,
      [...new Set(percents)].toSorted((a, b) => a - b),
      "progress never goes back",
    );
    for (const step of steps.filter((other) => other.percent >= 0)) {
      assert.equal(step.text, `Build image:${step.percent}%`);
    }
  }
});

test("what a station that was killed was building is gone at its next start", async () => {
  const script = `
    const { createCatalogue } = await import(${JSON.stringify(new URL("../../src/engines/system-images/catalogue.ts", import.meta.url).href)});
    const images = await createCatalogue(${JSON.stringify({ folder, server: nowhere, station, env: proxies() })});
    await images.pull("${debian}", { signal: new AbortController().signal, onProgress: ({ percent }) => console.log(percent) });
  `;
  const killed = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let percent = -1;
  killed.stdout.on("data", (chunk: Buffer) => (percent = Number(chunk.toString().trim().split("\n").at(-1))));
  await until(async () => percent >= 20 || killed.exitCode !== null);
  killed.kill("SIGKILL");
  await once(killed, "close");
  assert.ok(readdirSync(folder).length > 0, "it was building");
  const images = await catalogue();
  await assertNothingLeft();
  assert.deepEqual(await images.list(), []);
});

test("what cannot be built is told with both reasons", async () => {
  const images = await catalogue();
  await fails(
    images.pull("ubuntu-jammy:latest", { signal: never }),
    "remote_failed",
    /is not in reach \(ECONNREFUSED\)\.$/,
  );
  await fails(
    images.pull("debian-bookworm:20240101", { signal: never }),
    "remote_failed",
    /in reach \(ECONNREFUSED\)\.$/,
  );
  // In these private namespaces only.
  await run("mount", "--bind", "/dev/null", "/usr/bin/mmdebstrap");
  try {
    await fails(images.pull(debian, { signal: never }), "remote_failed", /not in reach .* has no mmdebstrap/);
  } finally {
    await run("umount", "/usr/bin/mmdebstrap");
  }
  await delay(0);
  await assertNothingLeft();
});

test("of the host's package sources only Debian's own of that release are taken", async () => {
  execFileSync("mkdir", ["-p", join(folder, "sources.list.d"), join(folder, "apt.conf.d")]);
  const put = (name: string, text: string): void =>
    execFileSync("tee", [join(folder, name)], { input: text, stdio: "pipe" }) as unknown as void;
  assert.deepEqual(await debianSources("bookworm", folder), {});
  put(
    "sources.list",
    "# deb http://old.example/debian bookworm main\ndeb [arch=amd64] http://mirror.example/debian bookworm main contrib\ndeb-src http://mirror.example/debian bookworm main\n",
  );
  put(
    "sources.list.d/docker.list",
    "deb https://download.docker.com/linux/debian bookworm stable\ndeb http://apt.example/ bookworm main\n",
  );
  const updates =
    "Types: deb\nURIs: http://mirror.example/debian-security\n# a comment\nSuites: bookworm-security\nComponents:\n main\n contrib";
  put(
    "sources.list.d/debian.sources",
    `${updates}\n\nTypes: deb\nURIs: http://mirror.example/debian\nSuites: trixie\nComponents: main\n\nEnabled: no\n${updates}\n`,
  );
  put(
    "sources.list.d/secret.sources",
    "Types: deb\nURIs: https://me:secret@mirror.example/debian\nSuites: bookworm\nComponents: main\n",
  );
  assert.deepEqual(await debianSources("bookworm", folder), {
    "debian.list": "deb [arch=amd64] http://mirror.example/debian bookworm main contrib\n",
    "debian.sources": `${updates}\n`,
  });
  assert.deepEqual(await debianSources("bullseye", folder), {});
  put("apt.conf.d/proxy", 'Acquire::http::Proxy "http://proxy.example:3128";\n');
  put("apt.conf.d/other", 'APT::Install-Recommends "0";\n');
  assert.deepEqual(await acquireFiles(folder), [join(folder, "apt.conf.d/proxy")]);
});
