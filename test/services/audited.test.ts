import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../src/util/log.ts";
import { AppError } from "../../src/errors.ts";
import type { User } from "../../src/services/access/policy.ts";
import type { Sessions } from "../../src/services/accounts/sessions.ts";
import { createAudit } from "../../src/services/audit/audit.ts";
import type { Services } from "../../src/services/contract/services.ts";
import { auditServices } from "../../src/services/log/audited.ts";
import { openTemporary } from "../storage/temporary.ts";

test("an error that repeats the command or the environment of a request is not in the log as it is", async (context) => {
  const { database, close } = await openTemporary();
  context.after(close);
  const { audit: store } = database;
  const user: User = { name: "op", role: "operator" };
  const failure = new AppError("forbidden", 'exec: "srv-x1 --key=topsecret": not found, A=hunter2');
  const inside = { exec: async () => Promise.reject(failure), logs: async () => Promise.reject(failure) };
  const audited = auditServices({ inside } as unknown as Services, {
    sessions: { peek: () => user } as Partial<Sessions> as Sessions,
    audit: createAudit(store, silentLog),
  });
  const caller = { sid: "", address: "127.0.0.1" };
  const place = { type: "docker", id: "web" } as const;
  const request = { command: ["srv-x1", "--key=topsecret"], environment: ["A=hunter2"] };
  const call = audited.inside.exec as unknown as (...args: unknown[]) => Promise<unknown>;
  const look = audited.inside.logs as unknown as typeof call;
  for (const asked of [call, look])
    await assert.rejects(asked(caller, place, request), failure, "its caller is told all of it");
  const { rows } = await store.list({ filter: {}, before: null, skip: 0, limit: 10 });
  assert.deepEqual(
    rows.map(({ result }) => result),
    ["refused", "refused"],
  );
  for (const { message } of rows) assert.match(message, /the reason is not shown/);
});
