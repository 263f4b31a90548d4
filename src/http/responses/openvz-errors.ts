import type { FastifyRequest } from "fastify";
import { hasCode } from "../../errors.ts";
import { prettyJson } from "./json.ts";
import { openvzRoot } from "../../api/routes/openvz.ts";

/** The containers-and-jobs API has its own shape of errors, for all that is below these paths. */
const paths = [`${openvzRoot}/containers`, `${openvzRoot}/jobs`];

/** The decorator of a server that has nothing else. */
export const onlyOpenvz = "onlyOpenvz";

export function isOpenvz({ raw, server }: FastifyRequest): boolean {
  return isBelow(raw.url ?? "") || server.hasDecorator(onlyOpenvz);
}

function isBelow(url: string): boolean {
  return paths.some((path) => url.startsWith(path) && ["/", "?", ""].includes(url.charAt(path.length)));
}

/** The request was wrong, or the station failed. */
const wrongRequest = 100;
const stationFailed = 200;

export function openvzErrorBody(status: number, message: string): string {
  return prettyJson({ code: status < 500 ? wrongRequest : stationFailed, message });
}

/** What is taken, a name or an address, is documented as unprocessable. */
export function openvzStatus(error: unknown, status: number): number {
  return hasCode(error, "conflict") && error.details?.["field"] !== undefined ? 422 : status;
}
