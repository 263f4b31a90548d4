import type { PullProgress } from "../images.ts";

type Report = (progress: PullProgress) => void;

/** Passes on what goes forward, each percentage once. */
export function onlyIncreasing(report: Report | undefined): Report {
  let shown = Number.NEGATIVE_INFINITY;
  return (progress) => {
    if (progress.percent <= shown) return;
    shown = progress.percent;
    report?.(progress);
  };
}
