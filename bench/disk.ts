import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "../test/engines/commands.ts";
import { testEngines } from "../test/support/engines.ts";

const gibibytes = 24;

/**
 * A disk of their own for LXC's and LXD's containers: ext4 as distributions make it. Without a journal, which a disk of
 * a virtual machine may lack, ext4 goes round the inodes that were freed in the last minutes, one by one: whoever comes
 * after a removal is four times as slow, and no two figures are alike.
 */
export async function mountSystemDisk(): Promise<void> {
  const { folder } = testEngines();
  const [image, disk] = [join(folder, "system.img"), join(folder, "system-disk")];
  if (existsSync(image)) return;
  await run("truncate", "-s", `${gibibytes}G`, image);
  await run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", image);
  mkdirSync(disk, { mode: 0o711 });
  await run("mount", "-o", "loop", image, disk);
  for (const name of ["lxc", "lxd"]) {
    for (const place of [join(disk, name), join(folder, name)]) mkdirSync(place, { mode: 0o711 });
    await run("mount", "--bind", join(disk, name), join(folder, name));
  }
}
