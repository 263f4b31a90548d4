import type { RouteTable } from "../route.ts";
import { DomainNames, TlsInfo, TlsNotify, TlsResult } from "../tls.ts";

const path = "/api/v1/tls";
const tag = "certificates";

/** Certificates of the station and of the Docker gateway. */
export const tlsRoutes = {
  "certificates.get": {
    method: "GET",
    path,
    tag,
    summary: "When the client certificate begins and ends",
    verb: "certificate:read",
    audited: false,
    response: TlsInfo,
  },
  "certificates.setNotify": {
    method: "POST",
    path,
    tag,
    summary: "Whether to tell of its end",
    verb: "certificate:change",
    audited: true,
    body: TlsNotify,
    response: TlsResult,
  },
  "certificates.rotate": {
    method: "POST",
    path: `${path}/rotation`,
    tag,
    summary: "New certificates; the old client certificate opens nothing any more",
    verb: "certificate:change",
    audited: true,
    response: TlsResult,
  },
  "certificates.domainNames": {
    method: "GET",
    path: `${path}/domain_names`,
    tag,
    summary: "Further names of the server's certificate",
    verb: "certificate:read",
    audited: false,
    response: DomainNames,
  },
  "certificates.setDomainNames": {
    method: "PUT",
    path: `${path}/domain_names`,
    tag,
    summary: "Set them; the certificate is renewed at once",
    verb: "certificate:change",
    audited: true,
    body: DomainNames,
    response: TlsResult,
  },
  "certificates.exportClient": {
    method: "GET",
    path: `${path}/export`,
    tag,
    summary: "A zip of ca.pem, cert.pem and key.pem for a Docker client",
    verb: "certificate:export",
    audited: true,
    file: { type: "application/zip", description: "A zip" },
  },
  "certificates.exportAuthority": {
    method: "GET",
    path: `${path}/export/registry`,
    tag,
    summary: "The authority's certificate",
    verb: "certificate:read",
    audited: false,
    file: { type: "application/x-pem-file", description: "PEM" },
  },
} satisfies RouteTable;
