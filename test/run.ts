import { globSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { run } from "node:test";
import { spec, type TestEvent } from "node:test/reporters";
import { printReport, type Failure, type Result } from "./report.ts";
import { testEngines } from "./support/engines.ts";
import { startEngines } from "./support/start-engines.ts";

/** A test that takes longer hangs, also on a slow machine. */
const testTimeout = 600_000;
const root = join(import.meta.dirname, "..");
/** They take longest, so they begin first: otherwise one of them would be all that still runs at the end. */
const first = [
  "engines/debian-image",
  "station/create-parameters",
  "station/life/together",
  "station/system-parameters",
  "engines/lxd.test",
  "proofs/openvz-crash",
  "station/system-cancel",
  "attacks/login-attacks",
  "station/openvz-seed",
  "station/system-ports",
  "proofs/share-race",
  "proofs/crash-mixed",
  "station/numbers-system",
  "proofs/life-cut",
  "proofs/crash-station",
  "station/session-ids",
];

async function main(filters: readonly string[]): Promise<Result> {
  const files = testFiles(filters);
  if (files.length === 0) return failure(`No test file matches ${filters.join(" ")}.`);
  try {
    await startEngines();
  } catch (error) {
    return failure(`The engines of the tests do not start: ${error instanceof Error ? error.message : String(error)}`);
  }
  const result: Result = { passed: 0, failures: [], took: [] };
  for (const file of files) if (claim(file)) await runFile(file, result);
  return result;
}

function testFiles(filters: readonly string[]): string[] {
  const files = globSync("test/**/*.test.ts", { cwd: root }).sort();
  const rank = (file: string): number => first.findIndex((name) => file.includes(name)) + 1 || first.length + 1;
  return files
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
    .toSorted((a, b) => rank(a) - rank(b));
}

/** Returns whether the file is for this run: the first of those side by side that asks gets it. */
function claim(file: string): boolean {
  const queue = join(testEngines().shared, "queue");
  mkdirSync(queue, { recursive: true });
  try {
    mkdirSync(join(queue, encodeURIComponent(file)));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  }
}

/** Anything but a pass is a failure: skipped, to do, cancelled, or a file without a test in it. */
async function runFile(file: string, result: Result): Promise<void> {
  const files = [join(root, file)];
  const problems: Failure[] = [];
  const begun = performance.now();
  const stream = run({ files, concurrency: 1, execArgv: [`--test-timeout=${testTimeout}`, "--test-force-exit"] });
  stream.on("test:pass", (data) => {
    const problem = problemOf(data, files);
    if (problem) problems.push({ file, name: data.name, message: problem });
    else if (data.details.type !== "suite") result.passed += 1;
  });
  stream.on("test:fail", (data) => {
    // A suite mostly fails with its tests, which are counted; alone when a hook of its own failed.
    const { type, error } = data.details;
    if (type === "suite" && "failureType" in error && error.failureType === "subtestsFailed") return;
    result.failures.push({ file, name: data.name, message: messageOf(error) });
  });
  const report = Readable.from(withoutCounts(stream)).compose(spec);
  report.pipe(process.stdout, { end: false });
  await finished(report);
  for (const { name, message } of problems) console.log(`${file}: "${name}" ${message}`);
  result.failures.push(...problems);
  result.took.push({ file, seconds: (performance.now() - begun) / 1000 });
}

const counts = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

/** Leaves out what is counted for each file: the run has one count. */
async function* withoutCounts(events: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent, void, undefined> {
  for await (const event of events) {
    if (event.type !== "test:diagnostic" || event.data.file || !counts.test(event.data.message)) yield event;
  }
}

type Passed = { name: string; skip?: string | boolean | undefined; todo?: string | boolean | undefined };

function problemOf({ name, skip, todo }: Passed, files: string[]): string | undefined {
  if (files.includes(name)) return "has no test";
  if (skip !== undefined) return "is skipped, which counts as failed";
  if (todo !== undefined) return "is still to do, which counts as failed";
  return undefined;
}

/** Returns what the test threw; the runner's own error is only around it. */
function messageOf(error: Error): string {
  if (error.cause instanceof Error) return error.cause.message;
  return typeof error.cause === "string" ? error.cause : error.message;
}

function failure(sentence: string): Result {
  console.log(sentence);
  return { passed: 0, failures: [{ file: "test/run.ts", name: "the start of a run", message: sentence }], took: [] };
}

const result = await main(process.argv.slice(2));
const file = process.env["GANTRY_TEST_RESULT"];
if (file) writeFileSync(file, JSON.stringify(result));
else printReport(result);
process.exit(result.failures.length === 0 && (result.passed > 0 || file) ? 0 : 1);
