/**
 * Opens the certificates of a folder, rotates them, and is killed before its call number STEP that changes the disk; of
 * a file that it was to write, half is there then.
 *
 *     node rotate.ts FOLDER STEP
 */
import { writeFileSync, writeSync } from "node:fs";
import { openCertificates } from "../../src/certificates/certificates.ts";
import { disk, type Disk } from "../../src/certificates/disk.ts";
import { createGenerations } from "../../src/certificates/generations.ts";

const [folder = "", step = "0"] = process.argv.slice(2);
let calls = 0;

function dies<A extends unknown[], R>(act: (...args: A) => Promise<R>, half?: (...args: A) => void) {
  return async (...args: A): Promise<R> => {
    if (++calls === Number(step)) {
      half?.(...args);
      process.kill(process.pid, "SIGKILL");
    }
    return act(...args);
  };
}

const dying: Disk = {
  makeFolder: dies(disk.makeFolder),
  write: dies(disk.write, (path, text) => writeFileSync(path, text.slice(0, text.length / 2), { mode: 0o600 })),
  rename: dies(disk.rename),
  link: dies(disk.link),
  flush: dies(disk.flush),
  remove: dies(disk.remove),
  list: disk.list,
};
const certificates = await openCertificates({ folder, generations: createGenerations(folder, dying) });
await certificates.rotate();
writeSync(1, `rotated in ${calls} calls\n`);
