import assert from "node:assert/strict";
import { test } from "node:test";
import { csvLine } from "../../src/util/csv.ts";

test("a line is quoted as RFC 4180 and the documents have it", () => {
  assert.equal(csvLine(["a", "b c", ""]), "a,b c,\n");
  assert.equal(csvLine(["Create (lxc, ctest)"]), '"Create (lxc, ctest)"\n');
  assert.equal(csvLine(['device "disk0": x']), '"device ""disk0"": x"\n');
  assert.equal(csvLine(["two\nlines", "two\r\nlines"]), '"two\nlines","two\r\nlines"\n');
});

test("what a spreadsheet would take for a formula is a text", () => {
  for (const begin of ["=", "+", "-", "@", "\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"]) {
    assert.equal(csvLine([`${begin}1`]), `'${begin}1\n`);
    assert.equal(csvLine(["a", `${begin}1,2`]), `a,"'${begin}1,2"\n`);
    assert.equal(csvLine([`a ${begin}1`]), `a ${begin}1\n`, "elsewhere it stays");
  }
  for (const begin of ["\t", "\r"]) assert.ok(/^"?'/.test(csvLine([`${begin}=1`])), JSON.stringify(begin));
  assert.equal(csvLine(["\tplain"]), "'\tplain\n");
  assert.equal(csvLine(["  =1"]), "'  =1\n", "some readers cut spaces off");
  assert.equal(csvLine(['"=1"']), '"\'""=1"""\n', "some read quotes twice");
});

test("nor in a country whose separator is the semicolon, which sees cells inside of ours", () => {
  assert.equal(csvLine(["Login of x;=1+1;@y;z"]), "\"Login of x;'=1+1;'@y;z\"\n");
  assert.equal(csvLine(['x;"=1+1";']), '"x;\'""=1+1"";"\n');
  assert.equal(csvLine(["a;b"]), '"a;b"\n');
});
