import type { OpenvzContainer, OpenvzJobAnswer, OpenvzListedJob } from "../../api/openvz.ts";
import type { Shape } from "../../engines/shape.ts";
import type { OpenvzJobRow } from "../../storage/openvz-store.ts";
import { shapeParameters } from "../planning/openvz-parameters.ts";
import type { RecordedContainer } from "./records.ts";

/** Returns a container as this API shows it. `shape` is what is set; absent if it was not asked for or is not known. */
export function containerAnswer({ row, view, container }: RecordedContainer, shape?: Shape): OpenvzContainer {
  return {
    id: row.id,
    name: container?.name ?? row.name,
    ostemplate: row.ostemplate,
    parameters: row.parameters === null ? null : (JSON.parse(row.parameters) as Record<string, string>),
    created_at: isoTime(row.createdAt),
    engine: row.engine,
    ...(container?.privileged && { privileged: true as const }),
    ...(container && view?.available() && { state: container.paused ? "paused" : container.state }),
    ...(shape && { effective: effective(shape, row.description) }),
  };
}

function effective(shape: Shape, description: string | null): Record<string, string> {
  return { ...shapeParameters(shape), ...(description !== null && { description }) };
}

type Job = Omit<OpenvzJobAnswer, "message">;

/** Returns how far a job is, as this API shows it. */
export function jobAnswer({ state, error, container, params }: OpenvzJobRow): Job {
  const restarts = params !== null && (JSON.parse(params) as { restarts?: boolean }).restarts === true;
  const restart = restarts ? { restart: true as const } : {};
  if (state === "completed") return { status: "done", entity_type: "container", entity_id: container, ...restart };
  if (state === "error") return { status: "failed", error: error ?? "The job failed.", ...restart };
  if (state === "cancelled") return { status: "failed", error: "The job was cancelled.", ...restart };
  return { status: "pending", ...restart };
}

/** Returns a job as lists show it. */
export function listedJob(row: OpenvzJobRow): OpenvzListedJob {
  return { id: row.id, action: row.verb, created_at: isoTime(row.createdAt), ...jobAnswer(row) };
}

/** Returns a time as 2020-10-16T15:16:16Z. */
function isoTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
