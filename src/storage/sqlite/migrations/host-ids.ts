/** Tables with a column `host`. */
const tables = [
  "worker",
  "task",
  "task_lock",
  "task_owner",
  "port_claim",
  "event",
  "audit",
  "openvz_container",
  "openvz_job",
];

const updates = tables.map((table) => `UPDATE ${table} SET host = this_host() WHERE host = 'this';`);

/**
 * Gives the rows of earlier versions, which had the constant `this` as their host, to this host. `this_host()` is a function
 * that `migrate` defines. The audit log is append only but for this change.
 */
export const hostIds = `
  DROP TRIGGER audit_append_only;
  ${updates.join("\n  ")}
  CREATE TRIGGER audit_append_only BEFORE UPDATE ON audit
    WHEN OLD.result <> 'begun' OR NEW.ts <> OLD.ts OR NEW.user <> OLD.user OR NEW.address <> OLD.address
      OR NEW.action <> OLD.action OR NEW.target <> OLD.target
    BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
  `;
