import { readlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { readNames, readText } from "./files.ts";

export interface Gpu {
  /** Place on the bus, as 0000:01:00.0. */
  slot: string;
  /** PCI numbers as 0x10de. */
  vendor: string;
  device: string;
  /** The kernel module that drives it; "" without one. */
  driver: string;
}

/** Display controllers of the PCI bus: a class of 0x03. */
export async function readGpus(bus = "/sys/bus/pci/devices"): Promise<Gpu[]> {
  const gpus: Gpu[] = [];
  for (const slot of await readNames(bus)) {
    const folder = join(bus, slot);
    if (!(await readText(join(folder, "class"))).startsWith("0x03")) continue;
    const driver = await readlink(join(folder, "driver")).catch(() => "");
    const [vendor, device] = await Promise.all([readText(join(folder, "vendor")), readText(join(folder, "device"))]);
    gpus.push({ slot, vendor, device, driver: basename(driver) });
  }
  return gpus;
}
