import type { tlsRoutes } from "../../api/routes/tls.ts";
import { sendDownload } from "../responses/download.ts";
import { callerOf } from "../security/session-cookie.ts";
import type { CalledServices, Handlers } from "./handler.ts";

/** Returns the handlers of the routes for certificates. */
export function tlsHandlers({ certificates }: CalledServices<typeof tlsRoutes>): Handlers<typeof tlsRoutes> {
  return {
    "certificates.get": (request) => certificates.get(callerOf(request)),
    "certificates.setNotify": (request) => certificates.setNotify(callerOf(request), request.body),
    "certificates.rotate": (request) => certificates.rotate(callerOf(request)),
    "certificates.domainNames": (request) => certificates.domainNames(callerOf(request)),
    "certificates.setDomainNames": (request) => certificates.setDomainNames(callerOf(request), request.body),
    "certificates.exportClient": async (request, reply) =>
      sendDownload(reply, await certificates.exportClient(callerOf(request))),
    "certificates.exportAuthority": async (request, reply) =>
      sendDownload(reply, await certificates.exportAuthority(callerOf(request))),
  };
}
