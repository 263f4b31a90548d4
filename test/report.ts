import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { stripVTControlCharacters } from "node:util";

/** A test that failed, or what counts as one. */
export interface Failure {
  /** Path from the project's folder. */
  file: string;
  name: string;
  message: string;
}

export interface Result {
  passed: number;
  failures: Failure[];
  /** Seconds of each file, by its path from the project's folder. */
  took: { file: string; seconds: number }[];
}

/** Of so many files it is said how long they took. */
const slowest = 12;

const lineLength = 300;
/** All failures together are told in about so many lines, and each in at most so many. */
const failureLines = { all: 40, each: 11 };

/** Prints what failed, where the time went and, as the last line, `N passed, N failed`. */
export function printReport({ passed, failures, took }: Result): void {
  for (const line of failureReport(failures)) console.log(line);
  const files = took.toSorted((a, b) => b.seconds - a.seconds).slice(0, slowest);
  console.log(`Slowest: ${files.map(({ file, seconds }) => `${file} ${Math.round(seconds)} s`).join(", ")}`);
  const folders = new Map<string, number>();
  for (const { file, seconds } of took) folders.set(dirname(file), (folders.get(dirname(file)) ?? 0) + seconds);
  const sorted = [...folders].toSorted(([, a], [, b]) => b - a);
  console.log(
    `Seconds per folder: ${sorted.map(([folder, seconds]) => `${folder} ${Math.round(seconds)}`).join(", ")}`,
  );
  console.log(`${passed} passed, ${failures.length} failed`);
}

/** Returns the failures once more in few lines: what was printed when they happened may be thousands of lines above. */
export function failureReport(failures: readonly Failure[]): string[] {
  const { all, each } = failureLines;
  const shown = failures.slice(0, all / 2);
  const most = Math.min(each, Math.floor(all / shown.length));
  const lines = shown.flatMap(({ file, name, message }) => {
    const told = stripVTControlCharacters(message)
      .split("\n")
      .filter((line) => line.trim() !== "");
    return [`Failed: ${file}: ${name}`, ...told.slice(0, most - 1).map((line) => `    ${line.slice(0, lineLength)}`)];
  });
  const more = failures.length - shown.length;
  return more > 0 ? [...lines, `Failed: ${more} more`] : lines;
}

/** Adds the results of runs side by side. One without a result has failed. */
function addResults(files: readonly string[]): Result {
  const results = files.map((file): Result => {
    if (!existsSync(file))
      return { passed: 0, failures: [{ file, name: "a run", message: "It ended without a result." }], took: [] };
    return JSON.parse(readFileSync(file, "utf8")) as Result;
  });
  return {
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    failures: results.flatMap(({ failures }) => failures),
    took: results.flatMap(({ took }) => took),
  };
}

if (import.meta.main) {
  const total = addResults(process.argv.slice(2));
  printReport(total);
  process.exit(total.failures.length === 0 && total.passed > 0 ? 0 : 1);
}
