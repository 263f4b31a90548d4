import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

export interface Result {
  passed: number;
  failed: number;
  /** Seconds of each file, by its path from the project's folder. */
  took: { file: string; seconds: number }[];
}

/** Of so many files it is said how long they took. */
const slowest = 12;

/** Prints where the time went and, as the last line, `N passed, N failed`. */
export function printReport({ passed, failed, took }: Result): void {
  const files = took.toSorted((a, b) => b.seconds - a.seconds).slice(0, slowest);
  console.log(`Slowest: ${files.map(({ file, seconds }) => `${file} ${Math.round(seconds)} s`).join(", ")}`);
  const folders = new Map<string, number>();
  for (const { file, seconds } of took) folders.set(dirname(file), (folders.get(dirname(file)) ?? 0) + seconds);
  const sorted = [...folders].toSorted(([, a], [, b]) => b - a);
  console.log(
    `Seconds per folder: ${sorted.map(([folder, seconds]) => `${folder} ${Math.round(seconds)}`).join(", ")}`,
  );
  console.log(`${passed} passed, ${failed} failed`);
}

/** Adds the results of runs side by side. One without a result has failed. */
function addResults(files: readonly string[]): Result {
  const results = files.map((file): Result => {
    if (!existsSync(file)) return { passed: 0, failed: 1, took: [] };
    return JSON.parse(readFileSync(file, "utf8")) as Result;
  });
  return {
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
    took: results.flatMap(({ took }) => took),
  };
}

if (import.meta.main) {
  const total = addResults(process.argv.slice(2));
  printReport(total);
  process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
}
