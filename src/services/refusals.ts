import type { Audit } from "./audit.ts";
import type { RefusalService } from "./services.ts";
import type { Sessions } from "./sessions.ts";

/** What the HTTP layer refused by itself. */
export function createRefusals(sessions: Sessions, audit: Audit): RefusalService {
  return {
    report(caller, { method, path, message }) {
      const user = sessions.peek(caller)?.name ?? "";
      audit.refused({ user, address: caller.address, action: "request", target: `${method} ${path}` }, message);
    },
  };
}
