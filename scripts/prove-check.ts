import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

// The tools of `npm run check` could stop finding things without a sign: a changed option, a missing helper. This gives
// them what they must report, and what they must not.

const forbidden: [file: string, code: string, rule: string][] = [
  imports("api/a.ts", "../errors.ts"),
  imports("api/b.ts", "node:fs"),
  imports("api/c.ts", "fastify"),
  imports("api/routes/a.ts", "../../errors.ts"),
  imports("api/routes/b.ts", "node:fs"),
  imports("api/routes/c.ts", "fastify"),
  imports("util/a.ts", "../tasks/machine.ts"),
  imports("util/b.ts", "../engines/engine.ts"),
  imports("storage/a.ts", "../tasks/machine.ts"),
  imports("storage/sqlite/b.ts", "../../engines/engine.ts"),
  imports("storage/c.ts", "../gateway/gateway.ts"),
  imports("storage/d.ts", "../app.ts"),
  imports("engines/a.ts", "../storage/task-store.ts"),
  imports("engines/docker/b.ts", "../../config/config.ts"),
  imports("host/a.ts", "../engines/engine.ts"),
  imports("certificates/a.ts", "../services/contract/services.ts"),
  imports("gateway/a.ts", "../engines/docker/client/http.ts"),
  imports("gateway/b.ts", "../services/contract/services.ts"),
  imports("forwarding/a.ts", "../services/contract/services.ts"),
  imports("forwarding/b.ts", "../engines/lxd/lxd.ts"),
  imports("engines/lxd/create/d.ts", "../../lxc/rootfs/unpack.ts"),
  imports("engines/lxd/e.ts", "../lxc/id-map/ranges.ts"),
  imports("engines/lxc/id-map/a.ts", "../../lxd/lxd.ts"),
  imports("engines/lxc/id-map/b.ts", "../../../host/host.ts"),
  imports("engines/reshape/a.ts", "../lxc/lxc.ts"),
  imports("engines/unnamed/a.ts", "../engine.ts"),
  imports("engines/c.ts", "../forwarding/forwarding.ts"),
  imports("inventory/c.ts", "../forwarding/forwarding.ts"),
  imports("inventory/a.ts", "../services/contract/services.ts"),
  imports("inventory/b.ts", "../engines/docker/docker.ts"),
  imports("inventory/c.ts", "../numbers/container-meter.ts"),
  imports("shares/a.ts", "../services/contract/services.ts"),
  imports("shares/b.ts", "../engines/engine.ts"),
  imports("engines/e.ts", "../shares/shares.ts"),
  imports("numbers/a.ts", "../engines/engine.ts"),
  imports("numbers/b.ts", "../inventory/inventory.ts"),
  imports("tasks/a.ts", "../engines/engine.ts"),
  imports("tasks/b.ts", "../services/kinds/create.ts"),
  imports("tasks/c.ts", "../certificates/certificates.ts"),
  imports("inventory/d.ts", "../host/host.ts"),
  imports("services/a.ts", "../http/server.ts"),
  imports("services/kinds/b.ts", "../../engines/docker/docker.ts"),
  imports("config/a.ts", "../services/contract/services.ts"),
  imports("config/b.ts", "../engines/docker/docker.ts"),
  imports("services/c.ts", "../config/config.ts"),
  imports("http/a.ts", "../services/station/station.ts"),
  imports("http/routes/b.ts", "../../services/kinds/create.ts"),
  imports("http/c.ts", "../tasks/machine.ts"),
  ["http/d.ts", 'import type { A } from "../tasks/machine.ts";\nexport type B = A;\n', "eslint(no-restricted-imports)"],
  ["http/e.ts", 'export { a } from "../tasks/machine.ts";\n', "eslint(no-restricted-imports)"],
  imports("services/d.ts", "../unnamed/a.ts"),
  imports("unnamed/a.ts", "../errors.ts"),
  imports("unnamed/room/b.ts", "../../util/log.ts"),
  imports("setup/a.ts", "../engines/engine.ts"),
  ["cycle/a.ts", 'import { b } from "./b.ts";\nexport const a = (): unknown => b;\n', "import(no-cycle)"],
  ["cycle/types-a.ts", 'import type { B } from "./types-b.ts";\nexport type A = { b: B };\n', "import(no-cycle)"],
  ["promise/a.ts", "async function work(): Promise<void> {}\nwork();\n", "typescript(no-floating-promises)"],
  ["environment/a.ts", "export const home = process.env.HOME;\n", "node(no-process-env)"],
];

const allowed: [file: string, code: string][] = [
  allow("api/ok.ts", "typebox"),
  allow("api/ok2.ts", "./a.ts"),
  allow("api/routes/ok.ts", "../a.ts"),
  allow("api/routes/ok2.ts", "typebox"),
  allow("util/ok.ts", "../errors.ts"),
  allow("storage/sqlite/ok.ts", "../task-store.ts"),
  allow("engines/docker/ok.ts", "../engine.ts"),
  allow("engines/lxc/id-map/ok.ts", "../../reshape/shape.ts"),
  allow("engines/lxc/id-map/ok2.ts", "../lxc.ts"),
  allow("engines/ok.ts", "./docker/docker.ts"),
  allow("certificates/ok.ts", "../util/tls.ts"),
  allow("gateway/ok.ts", "../certificates/certificates.ts"),
  allow("forwarding/ok.ts", "../util/process/run-child.ts"),
  allow("services/ok2.ts", "../forwarding/forwarding.ts"),
  allow("shares/ok.ts", "../util/process/run-child.ts"),
  allow("services/ok3.ts", "../shares/shares.ts"),
  allow("inventory/ok.ts", "../engines/engine.ts"),
  allow("numbers/ok.ts", "../util/sleep.ts"),
  allow("tasks/ok.ts", "../storage/task-store.ts"),
  allow("services/ok.ts", "../tasks/machine.ts"),
  allow("http/routes/ok.ts", "../../services/contract/services.ts"),
  allow("http/routes/ok2.ts", "../app.ts"),
  allow("config/ok.ts", "../engines/engine.ts"),
  allow("setup/ok.ts", "../config/config.ts"),
  ["cycle/types-b.ts", 'import type { A } from "./types-a.ts";\nexport type B = { a: A };\n'],
  ["cycle/b.ts", 'import { a } from "./a.ts";\nexport const b = (): unknown => a;\n'],
];

function imports(file: string, from: string): [string, string, string] {
  return [file, `import "${from}";\n`, "eslint(no-restricted-imports)"];
}

function allow(file: string, from: string): [string, string] {
  return [file, `import "${from}";\n`];
}

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "gantry-check-"));
try {
  const missed = [...proveLint(), ...proveStructure(), ...proveOthers()];
  for (const sentence of missed) console.error(sentence);
  process.exitCode = missed.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

function proveLint(): string[] {
  const files = [...forbidden, ...allowed].map(([file, code]): [string, string] => [`src/${file}`, code]);
  const output = run("lint", files, ["oxlint", "-f", "unix", "src"]);
  const has = (file: string, rule: string): boolean =>
    output.split("\n").some((line) => line.startsWith(`src/${file}:`) && line.includes(rule));
  const missed = forbidden.filter(([file, , rule]) => !has(file, rule));
  const wrong = allowed.filter(([file]) => has(file, "no-restricted-imports"));
  return [
    ...missed.map(([file, , rule]) => `oxlint does not report ${rule} in ${file}.`),
    ...wrong.map(([file]) => `oxlint reports the allowed import of ${file}.`),
  ];
}

function proveStructure(): string[] {
  const long = `export function long(): void {\n${"  console.log(1);\n".repeat(80)}}\n`;
  const files: [file: string, code: string][] = [
    ["src/http/a.ts", 'import "../tasks/a.ts";\nimport "../unnamed/a.ts";\n'],
    ["src/http/b.ts", 'export const later = () => import("../tasks/rooms/one/a.ts");\n'],
    ["src/unnamed/a.ts", 'import "../errors.ts";\n'],
    ["src/tasks/a.ts", `${long}${"//\n".repeat(300)}`],
    ["src/tasks/rooms/one/a.ts", 'import "../two/a.ts";\n'],
    ["src/tasks/rooms/two/a.ts", 'import "../one/a.ts";\n'],
    ["src/util/a.ts", "export interface A {\n  a: string;\n}\n"],
    ["README.md", "`src/http/a.ts` and `http/`, `http/<name>.ts`, but\n`http/gone.ts` and `gone/`\n"],
    ...Array.from({ length: 21 }, (_, n): [string, string] => [`src/storage/${n}.ts`, "export {};\n"]),
  ];
  const output = run("structure", files, ["node", "scripts/structure/check.ts", "100"]);
  const findings = [
    "src/storage has 21",
    "src/tasks/a.ts has 382",
    "src/tasks/a.ts:1 long has 82",
    "src/http/a.ts imports src/tasks/a.ts",
    "src/http/a.ts imports src/unnamed/a.ts",
    "src/http/b.ts imports src/tasks/rooms/one/a.ts",
    "src/unnamed/a.ts is in a folder",
    "src/tasks/rooms/one and src/tasks/rooms/two",
    "src/util/a.ts:2 A.a",
    "2 paths in documents",
    "README.md:2 http/gone.ts",
    "README.md:2 gone/",
  ];
  return findings
    .filter((finding) => !output.includes(finding))
    .map((finding) => `npm run structure does not report: ${finding}`);
}

function proveOthers(): string[] {
  const types = run("types", [["src/main.ts", 'export const port: number = "80";\n']], ["tsc"]);
  const apiCode = 'export const bytes = Buffer.from("a");\n';
  const apiTypes = run("api-types", [["src/api/a.ts", apiCode]], ["tsc", "-p", "tsconfig.api.json"]);
  const format = run("format", [["src/main.ts", "export const port   = 80\n"]], ["oxfmt", "--check", "src"]);
  const dead: [string, string][] = [
    ["src/main.ts", 'import { used } from "./part.ts";\nconsole.log(used);\n'],
    ["src/part.ts", "export const used = 1;\nexport const deadExport = 2;\n"],
    ["src/dead-file.ts", "export const other = 1;\n"],
  ];
  const unused = run("dead", dead, ["knip"]);
  const missed: string[] = [];
  if (!types.includes("TS2322")) missed.push("tsc does not report a wrong type.");
  if (!apiTypes.includes("TS2591")) missed.push("tsc does not report that src/api needs Node.");
  if (!format.includes("src/main.ts")) missed.push("oxfmt does not report a file out of format.");
  if (!unused.includes("deadExport")) missed.push("knip does not report an export that nobody uses.");
  if (!unused.includes("dead-file.ts")) missed.push("knip does not report a file that nobody uses.");
  return missed;
}

/** Runs a tool in a small project with this one's configuration. Answers what it printed. */
function run(name: string, files: readonly [file: string, code: string][], [tool = "", ...args]: string[]): string {
  const project = join(folder, name);
  for (const [file, code] of files) {
    mkdirSync(dirname(join(project, file)), { recursive: true });
    writeFileSync(join(project, file), code);
  }
  for (const config of [
    "oxlint.config.ts",
    ".oxfmtrc.json",
    "knip.json",
    "tsconfig.json",
    "tsconfig.api.json",
    "package.json",
  ]) {
    copyFileSync(join(root, config), join(project, config));
  }
  cpSync(join(root, "scripts/structure"), join(project, "scripts/structure"), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(project, "node_modules"));
  const { stdout, stderr } = spawnSync(join(root, "node_modules/.bin", tool), args, { cwd: project, encoding: "utf8" });
  return `${stdout}\n${stderr}`;
}
