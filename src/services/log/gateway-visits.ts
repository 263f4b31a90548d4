import { reservedNames } from "../accounts/reserved-names.ts";
import type { Audit } from "../audit/audit.ts";

/** Notes connections to the Docker gateway in the audit log. What is done through them only the engine knows. */
export interface GatewayVisits {
  /** Notes a connection from this address that was let through. */
  admitted(address: string): void;
  /** Notes a connection from this address that was refused, with the reason. */
  refused(address: string, reason: string): void;
}

const user = reservedNames.clientCertificate;
const action = "docker gateway";

/** Makes the recorder of connections to the Docker gateway. */
export function createGatewayVisits(audit: Audit): GatewayVisits {
  return {
    admitted: (address) => audit.seen({ user, address, action }, "docker gateway: connected"),
    refused: (address, reason) => audit.refused({ user: "", address, action }, `docker gateway: ${reason}`),
  };
}
