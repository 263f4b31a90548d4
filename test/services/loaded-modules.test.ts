import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const app = join(import.meta.dirname, "../../src/app.ts");

test("the start loads neither Node's own HTTP client nor the compiler of schemas nor drivers of engines that may be absent", () => {
  const program = `
    const { registerHooks } = await import("node:module");
    const loaded = [];
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
    await import(${JSON.stringify(app)});
    console.log([...loaded, ...process.moduleLoadList].join("\\n"));`;
  const loaded = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  assert.match(loaded, /src\/http\/server\.ts/);
  for (const unwanted of [
    /undici\/undici/,
    /node_modules\/ajv\//,
    /src\/engines\/lxc\/lxc\.ts/,
    /src\/engines\/lxd\/lxd\.ts/,
  ])
    assert.doesNotMatch(loaded, unwanted);
});
