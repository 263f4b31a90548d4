/**
 * Opens the certificates of a folder, rotates them, and kills itself before call number STEP that changes the disk. If
 * that call would write a file, it writes half of the file first.
 *
 *     node rotate.ts FOLDER STEP
 */
import { writeFileSync, writeSync } from "node:fs";
import { openCertificates } from "../../src/certificates/certificates.ts";
import { disk, type Disk } from "../../src/certificates/durable-disk.ts";
import { createGenerations } from "../../src/certificates/generations.ts";

const [folder = "", step = "0"] = process.argv.slice(2);
let calls = 0;

function killAtStep<A extends unknown[], R>(act: (...args: A) => Promise<R>, half?: (...args: A) => void) {
  return async (...args: A): Promise<R> => {
    if (++calls === Number(step)) {
      half?.(...args);
      process.kill(process.pid, "SIGKILL");
    }
    return act(...args);
  };
}

const killingDisk: Disk = {
  makeFolder: killAtStep(disk.makeFolder),
  write: killAtStep(disk.write, (path, text) => writeFileSync(path, text.slice(0, text.length / 2), { mode: 0o600 })),
  rename: killAtStep(disk.rename),
  link: killAtStep(disk.link),
  flush: killAtStep(disk.flush),
  remove: killAtStep(disk.remove),
  list: disk.list,
};
const certificates = await openCertificates({ folder, generations: createGenerations(folder, killingDisk) });
await certificates.rotate();
writeSync(1, `rotated in ${calls} calls\n`);
