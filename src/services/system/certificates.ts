import type { Verb } from "../../api/verbs.ts";
import { X509Certificate } from "node:crypto";
import { outdatedWithin, serialOf, type Certificates } from "../../certificates/certificates.ts";
import { parseDomainNames } from "../../certificates/names.ts";
import { zipOf } from "../../util/zip.ts";
import { authorize } from "../access/policy.ts";
import type { Caller, CertificateService, Download } from "../contract/services.ts";
import type { Sessions } from "../accounts/sessions.ts";
import type { Log } from "../../util/log.ts";

export interface CertificateDeps {
  /** Tells who calls. */
  sessions: Pick<Sessions, "authenticate">;
  /** The station's certificates. */
  certificates: Certificates;
  /** Is told about failures whose details no client sees. */
  log: Log;
}

/** Makes the service of certificates. */
export function createCertificateService({ sessions, certificates, log }: CertificateDeps): CertificateService {
  function allowed(caller: Caller, verb: Verb): { user: string; address: string } {
    const user = sessions.authenticate(caller);
    authorize(user, verb);
    return { user: user.name, address: caller.address };
  }

  return {
    async get(caller) {
      allowed(caller, "certificate:read");
      const { client, mutedClientSerial } = certificates.current();
      const { validFromDate, validToDate } = new X509Certificate(client.certificate);
      const outdated = validToDate.getTime() - Date.now() < outdatedWithin;
      const outdatedNotify = outdated && mutedClientSerial !== serialOf(client.certificate);
      return { enddate: dayOf(validToDate), outdatedNotify, startdate: dayOf(validFromDate) };
    },
    async setNotify(caller, { outdatedNotify }) {
      allowed(caller, "certificate:change");
      await certificates.setNotify(outdatedNotify);
      return { result: true };
    },
    async domainNames(caller) {
      allowed(caller, "certificate:read");
      return { domain_names: certificates.current().domainNames.join(",") };
    },
    async setDomainNames(caller, request) {
      const by = allowed(caller, "certificate:change");
      const names = parseDomainNames(request.domain_names);
      await certificates.setDomainNames(names);
      log.info("The server's certificate was renewed", { ...by, names });
      return { result: true };
    },
    async exportClient(caller) {
      const by = allowed(caller, "certificate:export");
      log.info("The client certificate was exported", by);
      const { authority, client } = certificates.current();
      const files = { "ca.pem": authority.certificate, "cert.pem": client.certificate, "key.pem": client.key };
      return { name: "docker-tls.zip", type: "application/zip", content: zipOf(files) };
    },
    async exportAuthority(caller) {
      allowed(caller, "certificate:read");
      const content = once(certificates.current().authority.certificate);
      return { name: "ca.pem", type: "application/x-pem-file", content } satisfies Download;
    },
    async rotate(caller) {
      const by = allowed(caller, "certificate:change");
      await certificates.rotate();
      log.info("The certificates were rotated", by);
      return { result: true };
    },
  };
}

/** YYYY-MM-DD in universal time, as the certificate itself has it. */
function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
