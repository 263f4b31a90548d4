import { AppError } from "../../errors.ts";
import type { Listed } from "./client/container.ts";
import type { DockerHttp } from "./client/http.ts";

const ids = /\b[0-9a-f]{12,64}\b/g;
const lookWithin = 2_000;

/** Returns the methods, whose errors name containers where Docker says their ids: people know them by their names. */
export function withNamedFailures<T extends object>(http: DockerHttp, methods: T): T {
  const named = Object.entries(methods as Record<string, (...args: unknown[]) => unknown>).map(([name, method]) => [
    name,
    async (...args: unknown[]) => {
      try {
        return await method(...args);
      } catch (error) {
        throw await withNames(http, error);
      }
    },
  ]);
  return Object.fromEntries(named) as T;
}

async function withNames(http: DockerHttp, error: unknown): Promise<unknown> {
  if (!(error instanceof AppError) || error.code === "engine_unavailable" || !error.message.match(ids)) return error;
  const look = { path: "/containers/json", query: { all: "true" }, signal: AbortSignal.timeout(lookWithin) };
  const listed = await http.json<Listed[]>(look).catch(() => []);
  const message = error.message.replaceAll(ids, (id) => nameOf(listed, id) ?? id);
  return new AppError(error.code, message, { cause: error.cause, ...(error.details && { details: error.details }) });
}

function nameOf(listed: readonly Listed[], id: string): string | undefined {
  const meant = listed.filter(({ Id }) => Id.startsWith(id));
  return meant.length === 1 ? containerName(meant[0]?.Names ?? []) : undefined;
}

/**
 * Returns the container's own name without its slash. A link to a container gives it a further name, as
 * /CONTAINER/ALIAS.
 */
export function containerName(names: readonly string[]): string | undefined {
  return names.find((name) => name.lastIndexOf("/") === 0)?.slice(1);
}
