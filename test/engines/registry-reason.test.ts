import assert from "node:assert/strict";
import { test } from "node:test";
import { pullFailure } from "../../src/engines/docker/images/pull-failures.ts";
import { registryReason } from "../../src/engines/docker/images/registry-reason.ts";

test("the body of an answer is in no reason, its status is", () => {
  const cases: [said: string, told: string][] = [
    [
      "error parsing HTTP 404 response body: invalid character '<' looking for beginning of value: \"<html>S3CR3T\"",
      "it answered with HTTP 404",
    ],
    [
      'error parsing HTTP 403 response body: no error details found in HTTP response body: "{\\"token\\":\\"S3CR3T\\"}"',
      "it answered with HTTP 403",
    ],
    ["received unexpected HTTP status: 500 S3CR3T phrase", "it answered with HTTP 500"],
    [
      'Get "http://10.0.0.1/v2/": net/http: HTTP/1.x transport connection broken: malformed HTTP response "SSH-2.0-S3CR3T"',
      "its answer is none of a registry's",
    ],
    [
      'Get "https://10.0.0.1/v2/": x509: certificate is valid for S3CR3T.internal, not 10.0.0.1',
      "its certificate cannot be trusted",
    ],
    [
      'Get "http://10.0.0.1/v2/?token=S3CR3T": dial tcp 10.0.0.1:80: connect: connection refused',
      "dial tcp 10.0.0.1:80: connect: connection refused",
    ],
    ['something new that quotes: "S3CR3T" and more', 'something new that quotes: "..." and more'],
    ['something cut in the middle: "S3CR3T', 'something cut in the middle: "..."'],
    ["unexpected EOF", "the download was cut off"],
    ["x", "x"],
  ];
  for (const [said, told] of cases) assert.equal(registryReason(said), told);
});

test("a registry's own messages are told in one line of an ordinary length", () => {
  assert.equal(registryReason('denied: the project "a" is closed\n'), 'denied: the project "a" is closed');
  assert.equal(registryReason("unknown: two\r\nlines\u0007\u202e here"), "unknown: two lines here");
  const long = registryReason(`errors:\ndenied: ${"words ".repeat(1000)}`);
  assert.ok(long.length < 310 && long.startsWith("errors: denied: words words"));
  assert.equal(registryReason(`denied: ${"x".repeat(10_000)}`), "denied: ...");
  const { message, code } = pullFailure(
    'error parsing HTTP 500 response body: "no space left on device"',
    "a:1",
    "The registry b",
  );
  assert.deepEqual(
    [code, message],
    ["remote_failed", "The registry b did not deliver a:1: it answered with HTTP 500."],
  );
});
