import { globSync } from "node:fs";
import { join, relative } from "node:path";
import { finished } from "node:stream/promises";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { startEngines } from "./support/start-engines.ts";

/** A test that takes longer hangs, also on a slow machine. */
const testTimeout = 600_000;
const root = join(import.meta.dirname, "..");
/** Tests that share no engine with others: they run beside those that do, which go one after the other. */
const unshared = /^test\/(?:certificates|config|http|inventory|services|shares|storage|tasks|util)\b/;
/** One half of all tests; about as long as the rest, and with all that needs a Debian, which is built once in a run. */
const system =
  /^test\/(?:engines\/(?:lxc|lxd|debian|system-images)|forwarding|setup|(?:proofs|station)\/openvz|station\/system-)/;
/** Of so many files it is said how long they took. */
const slowest = 12;

interface Result {
  passed: number;
  failed: number;
  /** Seconds of each file. */
  took: { file: string; seconds: number }[];
}

async function main(filters: readonly string[]): Promise<Result> {
  const files = testFiles(filters);
  if (files.length === 0) return failure(`No test file matches ${filters.join(" ")}.`);
  try {
    await startEngines();
  } catch (error) {
    return failure(`The engines of the tests do not start: ${error instanceof Error ? error.message : String(error)}`);
  }
  const isUnshared = (file: string): boolean => unshared.test(relative(root, file));
  const groups = [files.filter(isUnshared), files.filter((file) => !isUnshared(file))];
  const results = await Promise.all(groups.filter(({ length }) => length > 0).map(runFiles));
  return {
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
    took: results.flatMap(({ took }) => took),
  };
}

function testFiles(filters: readonly string[]): string[] {
  const files = globSync("test/**/*.test.ts", { cwd: root }).sort();
  const half = process.env["GANTRY_TEST_HALF"];
  const matches = (file: string): boolean =>
    filters.length > 0
      ? filters.some((filter) => file.includes(filter))
      : half === undefined || system.test(file) === (half === "system");
  return files.filter(matches).map((file) => join(root, file));
}

/** Anything but a pass is a failure: skipped, to do, cancelled, or a file without a test in it. */
async function runFiles(files: string[]): Promise<Result> {
  const result: Result = { passed: 0, failed: 0, took: [] };
  const problems: string[] = [];
  const stream = run({ files, concurrency: 1, execArgv: [`--test-timeout=${testTimeout}`, "--test-force-exit"] });
  stream.on("test:pass", (data) => {
    const problem = problemOf(data, files);
    if (problem) problems.push(`${relative(root, data.file ?? data.name)}: ${problem}`);
    else if (data.details.type !== "suite") result.passed += 1;
  });
  stream.on("test:fail", (data) => {
    // A suite mostly fails with its tests, which are counted; alone when a hook of its own failed.
    const { type, error } = data.details;
    if (type !== "suite" || !("failureType" in error) || error.failureType !== "subtestsFailed") result.failed += 1;
  });
  stream.on("test:summary", ({ file, duration_ms: duration }) => {
    if (file) result.took.push({ file: relative(root, file), seconds: Math.round(duration / 1000) });
  });
  const report = stream.compose(spec);
  report.pipe(process.stdout, { end: false });
  await finished(report);
  for (const problem of problems) console.log(problem);
  result.failed += problems.length;
  return result;
}

type Passed = { name: string; skip?: string | boolean | undefined; todo?: string | boolean | undefined };

function problemOf({ name, skip, todo }: Passed, files: string[]): string | undefined {
  if (files.includes(name)) return "has no test";
  if (skip !== undefined) return `"${name}" is skipped, which counts as failed`;
  if (todo !== undefined) return `"${name}" is still to do, which counts as failed`;
  return undefined;
}

function failure(sentence: string): Result {
  console.log(sentence);
  return { passed: 0, failed: 1, took: [] };
}

const { passed, failed, took } = await main(process.argv.slice(2));
const longest = took.sort((a, b) => b.seconds - a.seconds).slice(0, slowest);
console.log(`Slowest: ${longest.map(({ file, seconds }) => `${file} ${seconds} s`).join(", ")}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
