import assert from "node:assert/strict";
import { test } from "node:test";
import { createLog, type LogLevel } from "../../src/util/log.ts";

interface Line extends Record<string, any> {
  level: string;
  time: string;
  message: string;
}

/** A log, and the lines that it has written. */
function createWritten(level?: LogLevel) {
  const texts: string[] = [];
  const { log, ...rest } = createLog((line) => texts.push(line), level);
  return { log, ...rest, texts, last: (): Line => JSON.parse(texts.at(-1) ?? "") as Line };
}

test("a line is JSON with level, time, fields and message, and nothing of the process", () => {
  const { log, texts, last } = createWritten();
  log.warn("a disk is slow", { disk: "sda", seconds: 3, whole: 2n ** 70n, at: new Date(0), none: undefined });
  const { time, ...others } = last();
  assert.equal(new Date(time).toISOString(), time);
  assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000);
  assert.deepEqual(others, {
    level: "warn",
    disk: "sda",
    seconds: 3,
    whole: String(2n ** 70n),
    at: "1970-01-01T00:00:00.000Z",
    message: "a disk is slow",
  });
  log.error("two\nlines \u001b[31m", { "a\nname": "\u0000\r\n" });
  assert.match(texts.at(-1) ?? "", /^\P{Cc}*\n$/u);
});

test("lines below the level are left out, and the level can be changed", () => {
  const { log, setLevel, texts, recentLines } = createWritten("warn");
  const all = () => (["error", "warn", "info"] as const).forEach((level) => log[level](level));
  const seen = () => texts.splice(0).map((text) => (JSON.parse(text) as Line).message);
  all();
  assert.deepEqual(seen(), ["error", "warn"]);
  setLevel("error");
  all();
  assert.deepEqual(seen(), ["error"]);
  setLevel("info");
  all();
  assert.deepEqual(seen(), ["error", "warn", "info"]);
  assert.equal(recentLines().length, 6);
});

test("an error is written with its stack and its causes", () => {
  const { log, last } = createWritten();
  const root = Object.assign(new Error("the root"), { port: 1 });
  log.error("failed", { error: new Error("outer", { cause: new Error("inner", { cause: { code: 3, root } }) }) });
  const { error } = last();
  assert.match(error.stack, /^Error: outer\n +at /);
  assert.deepEqual([error.message, error.cause.message, error.cause.cause.code], ["outer", "inner", 3]);
  assert.equal(error.cause.cause.root.message, "the root");
});

test("no field that is named as a secret is written, however deep it lies", () => {
  const { log, texts } = createWritten();
  const names = ["password", "Password", "passwd", "adminPassword", "password_hash", "token", "apiToken", "secret"];
  const more = ["client_secret", "cookie", "Set-Cookie", "authorization", "sid", "session", "key", "pem"];
  for (const name of [...names, ...more]) {
    const fields = { [name]: "hidden" };
    const cause = { headers: [fields] };
    log.error("failed", { ...fields, deep: { fields }, list: [fields], error: new Error("x", { cause }) });
  }
  assert.equal(texts.length, 16);
  assert.deepEqual(
    texts.filter((text) => text.includes("hidden")),
    [],
  );
  log.info("others stay", { keyboard: 1, code: 2, keys: ["docker/c/web"] });
  assert.match(texts.at(-1) ?? "", /"keyboard":1,"code":2,"keys":\["docker\/c\/web"\]/);
});

test("a value that contains itself is written to a depth", () => {
  const { log, last } = createWritten();
  const loop: Record<string, unknown> = { name: "loop" };
  loop["again"] = loop;
  const error = new Error("around");
  error.cause = error;
  log.error("failed", { loop, error });
  assert.equal(last()["loop"].again.again.name, "loop");
  assert.equal(last()["error"].cause.cause.message, "around");
});

test("the last 1,000 lines are kept for a report", () => {
  const { log, recentLines } = createWritten();
  for (let n = 0; n < 1005; n++) log.info("line", { n });
  const lines = recentLines().map((line) => (JSON.parse(line) as Line)["n"] as number);
  assert.deepEqual([lines.length, lines[0], lines.at(-1)], [1000, 5, 1004]);
});
