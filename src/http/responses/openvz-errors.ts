import type { FastifyRequest } from "fastify";
import { hasCode } from "../../errors.ts";
import { prettyJson } from "./json.ts";
import { openvzRoot } from "../../api/routes/openvz.ts";

/** Paths of the containers-and-jobs API. Errors below them have a form of their own. */
const paths = [`${openvzRoot}/containers`, `${openvzRoot}/jobs`];

/** The name of the decorator of a server that has the containers-and-jobs API only. */
export const onlyOpenvz = "onlyOpenvz";

/** Returns whether a request is for the containers-and-jobs API. */
export function isOpenvz({ raw, server }: FastifyRequest): boolean {
  return isBelow(raw.url ?? "") || server.hasDecorator(onlyOpenvz);
}

function isBelow(url: string): boolean {
  return paths.some((path) => url.startsWith(path) && ["/", "?", ""].includes(url.charAt(path.length)));
}

/** Documented codes: the request was wrong, or the station failed. */
const wrongRequest = 100;
const stationFailed = 200;

/** Returns the JSON of an error of the containers-and-jobs API. */
export function openvzErrorBody(status: number, message: string): string {
  return prettyJson({ code: status < 500 ? wrongRequest : stationFailed, message });
}

/** Returns the status of an error: 422 for a name or an address that is taken, as documented, else `status`. */
export function openvzStatus(error: unknown, status: number): number {
  return hasCode(error, "conflict") && error.details?.["field"] !== undefined ? 422 : status;
}
