import type { PullProgress } from "../../images.ts";

/** One line of POST /images/create. */
export interface PullLine {
  /** The first 12 digits of a layer, or a tag. */
  id?: string;
  /** What is done with the layer, as "Downloading" or "Pull complete". */
  status?: string;
  /** The reason of a failure, in its older form. */
  error?: unknown;
  /** The reason of a failure, as `{ message }`. */
  errorDetail?: unknown;
  /** Bytes that are done, and all of them; absent while nothing is known. */
  progressDetail?: { current?: number; total?: number };
}

interface Layer {
  /** Bytes; 0 = not known yet. */
  total: number;
  downloaded: number;
  extracted: number;
  done: boolean;
}

/** Makes one percentage of the lines of a pull. */
export interface PullMeter {
  /** Counts a line and reports the progress, ten times in a second at most. */
  add(line: PullLine): void;
  /** Reports 100 percent. */
  finish(): void;
}

const interval = 100;
/** Unpacking is quicker than a download over most lines. */
const downloadShare = 0.8;

/**
 * Returns what counts the layers of a pull and reports one percentage of all, which never goes back. A layer's size is
 * known only when its download begins; until then it counts as large as the others are on average.
 */
export function createPullMeter(report: ((progress: PullProgress) => void) | undefined): PullMeter {
  const layers = new Map<string, Layer>();
  let shown = -1;
  let last = Number.NEGATIVE_INFINITY;

  function emit(percent: number, force: boolean): void {
    const next = Math.max(shown, percent);
    const now = performance.now();
    if (!force && (next === shown || now - last < interval)) return;
    shown = next;
    last = now;
    report?.({ percent: next, text: next < 0 ? "Download image" : `Download image:${next}%` });
  }

  function add(line: PullLine): void {
    if (typeof line.id === "string" && typeof line.status === "string")
      note(layers, line.id, line.status, line.progressDetail);
    // 100 is for a pull that has ended well.
    emit(Math.min(99, share(layers)), last === Number.NEGATIVE_INFINITY);
  }

  return { add, finish: () => emit(100, true) };
}

function note(layers: Map<string, Layer>, id: string, status: string, detail: PullLine["progressDetail"]): void {
  // "Pulling from library/x" has the tag as id, and a layer that is there already costs nothing.
  if (status.startsWith("Pulling from") || status === "Already exists") return;
  const layer = layers.get(id) ?? { total: 0, downloaded: 0, extracted: 0, done: false };
  layers.set(id, layer);
  if (detail?.total !== undefined && detail.total > 0) layer.total = detail.total;
  if (status === "Downloading") layer.downloaded = detail?.current ?? layer.downloaded;
  if (status === "Verifying Checksum" || status === "Download complete") layer.downloaded = layer.total;
  if (status === "Extracting") {
    layer.downloaded = layer.total;
    layer.extracted = detail?.current ?? layer.extracted;
  }
  if (status === "Pull complete") layer.done = true;
}

/** Returns 0 to 100; -1 while no size is known. */
function share(layers: Map<string, Layer>): number {
  const all = [...layers.values()];
  const known = all.filter((layer) => layer.total > 0);
  if (known.length === 0) return -1;
  const average = known.reduce((sum, layer) => sum + layer.total, 0) / known.length;
  let size = 0;
  let ready = 0;
  for (const layer of all) {
    // A layer that ended without ever telling its size was too small to tell.
    const weight = layer.total > 0 ? layer.total : layer.done ? 0 : average;
    size += weight;
    ready += layer.done ? weight : layer.downloaded * downloadShare + layer.extracted * (1 - downloadShare);
  }
  return size > 0 ? Math.floor((100 * ready) / size) : 0;
}
