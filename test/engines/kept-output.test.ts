import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { jsonLines } from "../../src/engines/docker/client/json-lines.ts";
import { keepEnd, keepStart } from "../../src/util/process/kept-output.ts";
import { lastLogLines } from "../../src/engines/processes/last-log-lines.ts";

/** The same text in pieces of every size up to some. */
function* pieces(text: string): Generator<Buffer> {
  for (let at = 0, size = 1; at < text.length; at += size, size = (size % 7) + 1)
    yield Buffer.from(text.slice(at, at + size));
}

test("the end and the start of an output are kept to the byte, however it comes in pieces", () => {
  const text = Array.from({ length: 500 }, (_, n) => `line ${n}\n`).join("");
  for (const limit of [1, 10, 64, 1000, text.length - 1, text.length, text.length + 1]) {
    const [end, start] = [keepEnd(limit), keepStart(limit)];
    for (const piece of pieces(text)) [end, start].forEach((kept) => kept.add(piece));
    const whole = keepEnd(limit);
    whole.add(Buffer.from(text));
    const cut = text.length > limit;
    assert.deepEqual([end.text(), end.truncated()], [text.slice(-limit), cut], `the end, ${limit}`);
    assert.deepEqual([start.text(), start.truncated()], [text.slice(0, limit), cut], `the start, ${limit}`);
    assert.deepEqual([whole.text(), whole.truncated()], [text.slice(-limit), cut], `in one piece, ${limit}`);
  }
});

/** Bytes that were moved by copies and by shifts of lists, counted instead of timed. */
function moved(work: () => void): number {
  let bytes = 0;
  const { copy, copyWithin } = Buffer.prototype;
  const { shift } = Array.prototype;
  Buffer.prototype.copy = function (this: Buffer, ...args: Parameters<typeof copy>) {
    const done = copy.apply(this, args);
    bytes += done;
    return done;
  };
  Buffer.prototype.copyWithin = function (this: Buffer, to: number, from: number, end = this.length) {
    bytes += end - from;
    return copyWithin.call(this, to, from, end) as Buffer;
  } as typeof copyWithin;
  // oxlint-disable-next-line no-extend-native
  Array.prototype.shift = function <T>(this: T[]) {
    bytes += 8 * this.length;
    return shift.call(this) as T | undefined;
  };
  try {
    work();
  } finally {
    Object.assign(Buffer.prototype, { copy, copyWithin });
    Object.assign(Array.prototype, { shift });
  }
  return bytes;
}

test("keeping the end of many lines moves each byte a few times, and holds two limits at most", () => {
  const line = Buffer.from("0123456789\n");
  const lines = 200_000;
  const kept = keepEnd(1 << 20);
  const bytes = moved(() => {
    for (let n = 0; n < lines; n++) kept.add(line);
  });
  assert.ok(bytes < 4 * lines * line.length, `${bytes} bytes were moved for ${lines * line.length}`);
  assert.ok(kept.truncated());
  assert.equal(kept.text().length, 1 << 20);
});

test("a log is truncated only when a line that was asked for is missing", () => {
  const text = "half a line\none\ntwo\n";
  assert.deepEqual(lastLogLines(text, 2, true), { text: "one\ntwo\n", truncated: false });
  assert.deepEqual(lastLogLines(text, 3, true), { text, truncated: true });
  assert.deepEqual(lastLogLines(text, 9, false), { text, truncated: false });
});

test("lines of JSON come whole, also one that arrives byte by byte", async () => {
  const text = '{"a":1}\n\n{"b":"é"}\n{"c":3}';
  const bytes = [...Buffer.from(text)].map((byte) => Buffer.from([byte]));
  for (const chunks of [bytes, [Buffer.from(text)]]) {
    const found: unknown[] = [];
    for await (const one of jsonLines(Readable.from(chunks))) found.push(one);
    assert.deepEqual(found, [{ a: 1 }, { b: "é" }, { c: 3 }]);
  }
});
