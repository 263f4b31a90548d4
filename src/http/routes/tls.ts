import { DomainNames, TlsInfo, TlsNotify, TlsResult } from "../../api/tls.ts";
import type { CertificateService } from "../../services/contract/services.ts";
import type { App } from "../app.ts";
import { downloadResponse, sendDownload } from "../download.ts";
import { callerOf } from "../session-cookie.ts";

const base = "/api/v1/tls";
const tags = ["certificates"];
const response = { 200: TlsResult };

export function tlsRoutes(app: App, certificates: CertificateService): void {
  const get = { tags, summary: "When the client certificate begins and ends", response: { 200: TlsInfo } };
  app.get(base, { schema: get }, (request) => certificates.get(callerOf(request)));

  const notify = { tags, summary: "Whether to tell of its end", body: TlsNotify, response };
  app.post(base, { schema: notify }, (request) => certificates.setNotify(callerOf(request), request.body));

  const rotation = { tags, summary: "New certificates; the old client certificate opens nothing any more", response };
  app.post(`${base}/rotation`, { schema: rotation }, (request) => certificates.rotate(callerOf(request)));

  domainNameRoutes(app, certificates);
  exportRoutes(app, certificates);
}

function domainNameRoutes(app: App, certificates: CertificateService): void {
  const get = { tags, summary: "Further names of the server's certificate", response: { 200: DomainNames } };
  app.get(`${base}/domain_names`, { schema: get }, (request) => certificates.domainNames(callerOf(request)));

  const set = { tags, summary: "Set them; the certificate is renewed at once", body: DomainNames, response };
  app.put(`${base}/domain_names`, { schema: set }, (request) =>
    certificates.setDomainNames(callerOf(request), request.body),
  );
}

function exportRoutes(app: App, certificates: CertificateService): void {
  const client = {
    tags,
    summary: "A zip of ca.pem, cert.pem and key.pem for a Docker client",
    response: downloadResponse("A zip", "application/zip"),
  };
  app.get(`${base}/export`, { schema: client }, async (request, reply) =>
    sendDownload(reply, await certificates.exportClient(callerOf(request))),
  );

  const authority = {
    tags,
    summary: "The authority's certificate",
    response: downloadResponse("PEM", "application/x-pem-file"),
  };
  app.get(`${base}/export/registry`, { schema: authority }, async (request, reply) =>
    sendDownload(reply, await certificates.exportAuthority(callerOf(request))),
  );
}
