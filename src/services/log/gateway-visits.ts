import { signatures } from "../accounts/signatures.ts";
import type { Audit } from "../audit/audit.ts";

/** Who came to the Docker gateway, for the audit log: what is done by it there is the engine's own business. */
export interface GatewayVisits {
  /** Notes a connection from this address that was let through. */
  admitted(address: string): void;
  /** Notes a connection from this address that was refused, with the reason. */
  refused(address: string, reason: string): void;
}

const user = signatures.clientCertificate;
const action = "docker gateway";

export function createGatewayVisits(audit: Audit): GatewayVisits {
  return {
    admitted: (address) => audit.seen({ user, address, action }, "docker gateway: connected"),
    refused: (address, reason) => audit.refused({ user: "", address, action }, `docker gateway: ${reason}`),
  };
}
