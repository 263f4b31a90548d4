import type { Audit } from "../audit/audit.ts";
import type { RefusalService } from "../contract/services.ts";
import type { Sessions } from "../accounts/sessions.ts";

/** Makes the service that notes what the HTTP layer refuses by itself. */
export function createRefusals(sessions: Sessions, audit: Audit): RefusalService {
  return {
    report(caller, { method, path, message }) {
      const user = sessions.peek(caller)?.name ?? "";
      audit.refused({ user, address: caller.address, action: "request", target: `${method} ${path}` }, message);
    },
  };
}
