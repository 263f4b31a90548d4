import type { Verb } from "../../api/verbs.ts";
import { AppError, invalid } from "../../errors.ts";
import { authorize } from "../access/policy.ts";
import type { Caller, SecondStepService } from "../contract/services.ts";
import type { Sessions } from "./sessions.ts";
import type { Credentials } from "./credentials.ts";
import type { Directory } from "./directory.ts";
import type { SecondStep } from "./second-step.ts";

/** Makes the service of the caller's own second step. Turning it on or off takes the password again. */
export function createSecondStepService(deps: {
  sessions: Sessions;
  directory: Directory;
  credentials: Credentials;
  secondStep: SecondStep;
}): SecondStepService {
  const { sessions, directory, credentials, secondStep } = deps;

  function nameOf(caller: Caller, verb: Verb): string {
    const user = sessions.authenticate(caller);
    authorize(user, verb);
    return user.name;
  }

  const isOn = (name: string) => (directory.get(name)?.totp ?? "") !== "";

  return {
    async get(caller) {
      const name = nameOf(caller, "second-step:get");
      return { enabled: isOn(name), recovery_codes: await secondStep.left(name) };
    },
    async begin(caller, { password }) {
      const username = nameOf(caller, "second-step:change");
      if (isOn(username)) throw new AppError("conflict", "2-step verification is on already: turn it off first.");
      await credentials.confirm({ username, password }, caller.address);
      return secondStep.begin(username);
    },
    async finish(caller, { code }) {
      const name = nameOf(caller, "second-step:change");
      const codes = await secondStep.finish(name, code);
      await sessions.end(name, caller);
      return { enabled: true, recovery_codes: codes };
    },
    async end(caller, { password, code }) {
      const username = nameOf(caller, "second-step:change");
      if (!isOn(username)) throw new AppError("conflict", "2-step verification is off already.");
      if (code === "") throw invalid("code", "is empty");
      await credentials.check({ username, password, code }, caller.address);
      await secondStep.end(username);
      return { enabled: false, recovery_codes: 0 };
    },
  };
}
